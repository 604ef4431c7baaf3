"""Sets a description of our own (RFC 9429, section 5.9; W3C WebRTC 4.4.1.5, "if remote is false")."""

from __future__ import annotations

from typing import Literal

from peerline.jsep.applied import Applied
from peerline.jsep.candidates import add_gathered
from peerline.jsep.direction import receives, sends
from peerline.jsep.negotiated import agree_on_codecs
from peerline.jsep.outcome import Outcome, TrackChange
from peerline.jsep.record import Created, Record
from peerline.jsep.settle import remember_stable, remove_stopped, settle
from peerline.jsep.state import SignalingState
from peerline.jsep.transceiver import Transceiver
from peerline.sdp import MediaSection

__all__ = ["apply_local"]


def apply_local(
    record: Record, created: Created, kind: Literal["offer", "pranswer", "answer"], state: SignalingState
) -> Outcome:
    """`state` is the one that follows."""
    outcome = Outcome()
    if kind == "offer":
        remember_stable(record)
    description = created.description
    applied = Applied(kind, description, created.data_mid, is_local=True, text=created.text)
    if record.gathered:
        add_gathered(record, applied, created.layout)
    settle(record, "local", applied, state, created.layout)
    record.data_mid = applied.data_mid
    record.data_index = next(
        (index for index, media in enumerate(description.media) if media.mid == applied.data_mid is not None), None
    )
    for index, transceiver in enumerate(created.members):
        media = description.media[index]
        record.saw_mid(media.mid)
        if transceiver is None or transceiver not in record.transceivers:
            continue
        if transceiver.mid is None and not transceiver.is_stopped:
            transceiver.mid, transceiver.index = media.mid, index
        if not transceiver.is_stopped:
            _apply(record, transceiver, media, kind, outcome)
    if kind == "answer":
        remove_stopped(record, outcome)
    return outcome


def _apply(record: Record, transceiver: Transceiver, media: MediaSection, kind: str, outcome: Outcome) -> None:
    direction = media.direction or "sendrecv"
    transceiver.is_receptive = receives(direction)
    if kind == "offer":
        return
    remote = record.remote
    theirs = remote.section(transceiver.index) if remote is not None else None
    if media.is_rejected:
        transceiver.stop()
        outcome.stopped.append(transceiver)
        return
    if len(transceiver.encodings) > 1:
        _keep_layers(transceiver, [rid.id for rid in media.rids if rid.direction == "send"])
    assert theirs is not None
    agree_on_codecs(transceiver, ours=media, theirs=theirs, direction=direction)
    if not receives(direction) and receives(transceiver.fired_direction):
        transceiver.remote_stream_ids = ()
        outcome.tracks.append(TrackChange(transceiver, (), is_muted=True))
    transceiver.current_direction = transceiver.fired_direction = direction
    transceiver.has_ever_sent |= sends(direction)


def _keep_layers(transceiver: Transceiver, rids: list[str]) -> None:
    kept = [encoding for encoding in transceiver.encodings if encoding.get("rid") in rids]
    transceiver.encodings = kept or transceiver.encodings[:1]
    transceiver.sender_revision += 1
