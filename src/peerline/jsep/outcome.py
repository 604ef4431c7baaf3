"""What setting a description came to, for whoever owns tracks, streams and transports (W3C WebRTC 4.4.1.5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from peerline.jsep.direction import TransceiverDirection, receives
from peerline.jsep.transceiver import Transceiver

__all__ = ["DataPlan", "Outcome", "TrackChange", "process_remote_track"]


@dataclass(frozen=True)
class TrackChange:
    """The remote track of a transceiver now belongs to these streams; it may have to be announced, or muted."""

    transceiver: Transceiver
    stream_ids: tuple[str, ...]
    is_announced: bool = False
    is_muted: bool = False


@dataclass(frozen=True)
class DataPlan:
    """Data channels as both sides agreed on them. A size of 0 means any."""

    key: int  # of the transport
    local_port: int
    remote_port: int
    remote_max_message_bytes: int


@dataclass
class Outcome:
    """Transceivers that came, went or were stopped, and what is to be told of remote tracks; in the order of events."""

    created: list[Transceiver] = field(default_factory=list)
    removed: list[Transceiver] = field(default_factory=list)
    stopped: list[Transceiver] = field(default_factory=list)
    tracks: list[TrackChange] = field(default_factory=list)


def process_remote_track(
    transceiver: Transceiver, direction: TransceiverDirection, stream_ids: tuple[str, ...], outcome: Outcome
) -> None:
    """W3C WebRTC 5.1.1, "process remote tracks"."""
    was_receiving = receives(transceiver.fired_direction)
    is_added = bool(set(stream_ids) - set(transceiver.remote_stream_ids))
    is_moved = set(stream_ids) != set(transceiver.remote_stream_ids)
    is_announced = (receives(direction) and not was_receiving) or is_added
    is_muted = not receives(direction) and was_receiving
    if not receives(direction):
        transceiver.is_receptive = False
    transceiver.remote_stream_ids = stream_ids
    transceiver.fired_direction = direction
    if is_moved or is_announced or is_muted:
        outcome.tracks.append(TrackChange(transceiver, stream_ids, is_announced, is_muted))
