"""Whether there is something to negotiate (W3C WebRTC 4.7.3, "check if negotiation is needed")."""

from __future__ import annotations

from peerline.jsep.applied import Applied
from peerline.jsep.direction import intersect, reverse, sends
from peerline.jsep.record import Record
from peerline.jsep.transceiver import Transceiver
from peerline.sdp import MediaSection

__all__ = ["is_negotiation_needed"]


def is_negotiation_needed(record: Record) -> bool:
    """In the state `stable`."""
    if record.to_replace:
        return True
    description = record.current_local
    if record.wants_data and (description is None or description.data_mid is None):
        return True
    return any(_needs(record, description, one) for one in record.transceivers)


def _needs(record: Record, description: Applied | None, transceiver: Transceiver) -> bool:
    if transceiver.is_stopping and not transceiver.is_stopped:
        # The specification says yes even if there is no section to reject: then it would ask for ever.
        return transceiver.mid is not None
    media = description.section(transceiver.index) if description is not None and transceiver.mid is not None else None
    if transceiver.is_stopped:
        return media is not None and not _is_rejected(record, transceiver)
    if media is None or description is None:
        return True
    if sends(transceiver.direction):
        said = [msid.stream for msid in media.msids if msid.stream != "-"]
        if not media.msids or sorted(said) != sorted(transceiver.stream_ids):
            return True
    remote = record.current_remote.section(transceiver.index) if record.current_remote is not None else None
    if description.type == "offer":
        return transceiver.direction not in (
            _direction(media), None if remote is None else reverse(_direction(remote))
        )  # fmt: skip
    offered = reverse(_direction(remote)) if remote is not None else "sendrecv"
    return _direction(media) != intersect(transceiver.direction, offered)


def _direction(media: MediaSection) -> str:
    return "inactive" if media.is_rejected else media.direction or "sendrecv"


def _is_rejected(record: Record, transceiver: Transceiver) -> bool:
    sections = [one.section(transceiver.index) for one in (record.current_local, record.current_remote) if one]
    return any(section is not None and section.is_rejected for section in sections)
