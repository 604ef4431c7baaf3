"""Sets a description of the peer (RFC 9429, section 5.10; W3C WebRTC 4.4.1.5, "if remote is true")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from peerline.jsep.answer import common_codecs
from peerline.jsep.applied import Applied
from peerline.jsep.check import check_answer, check_offer, is_supported, mids_of
from peerline.jsep.direction import TransceiverDirection, receives, reverse, sends
from peerline.jsep.negotiated import agree_on_codecs
from peerline.jsep.outcome import Outcome, process_remote_track
from peerline.jsep.record import Record
from peerline.jsep.remote_layout import lay_out_answer, lay_out_offer
from peerline.jsep.remote_simulcast import keep_answered_layers, take_proposed_layers
from peerline.jsep.settle import remember_stable, remove_stopped, settle
from peerline.jsep.state import SignalingState
from peerline.jsep.transceiver import Transceiver
from peerline.sdp import Description, MediaSection

__all__ = ["apply_remote"]


def apply_remote(
    record: Record,
    description: Description,
    kind: Literal["offer", "pranswer", "answer"],
    state: SignalingState,
    text: str,
) -> Outcome:
    """`state` is the one that follows. Raises InvalidAccessError, and then nothing has changed."""
    mids = mids_of(record, description)
    outcome = Outcome()
    if kind == "offer":
        check_offer(record, description, mids)
        accepted = _accepted(record, description)
        layout = lay_out_offer(record, description, mids, accepted)
        remember_stable(record)
    else:
        check_answer(record, description, mids)
        layout = lay_out_answer(record, description, is_final=kind == "answer")
    data_index = _data_index(description, layout.carriers)
    data_mid = None if data_index is None else mids[data_index]
    settle(record, "remote", Applied(kind, description, data_mid, is_local=False, text=text), state, layout)
    record.data_mid, record.data_index = data_mid, data_index
    for index, media in enumerate(description.media):
        record.saw_mid(mids[index])
        if media.kind in ("audio", "video") and is_supported(media):
            transceiver = _associate(record, description, media, mids[index], index, outcome)
            _apply(record, transceiver, description, media, kind, outcome)
    if kind == "answer":
        remove_stopped(record, outcome)
    return outcome


def _accepted(record: Record, description: Description) -> list[bool]:
    """Which sections can be had. Of those for data channels only one: there is one SCTP association at most."""
    accepted = [_is_acceptable(record, media, index) for index, media in enumerate(description.media)]
    data = [index for index, media in enumerate(description.media) if media.kind == "application" and accepted[index]]
    kept = record.data_index if record.data_index in data else next(iter(data), None)
    return [is_accepted and (index not in data or index == kept) for index, is_accepted in enumerate(accepted)]


def _is_acceptable(record: Record, media: MediaSection, index: int) -> bool:
    if media.is_rejected or not is_supported(media):
        return False
    if media.kind == "application":
        return True
    if not media.is_rtcp_mux and not media.is_bundle_only:
        return False  # a port of its own for RTCP is not offered here, and has not been used for ten years
    transceiver = record.at(index)
    if transceiver is None or transceiver.mid != media.mid:
        transceiver = Transceiver("audio" if media.kind == "audio" else "video")
    return bool(common_codecs(transceiver, media))


def _data_index(description: Description, carriers: Sequence[int | None]) -> int | None:
    """The section of data channels that is not refused."""
    for index, media in enumerate(description.media):
        if media.kind == "application" and carriers[index] is not None:
            return index
    return None


def _associate(
    record: Record, description: Description, media: MediaSection, mid: str, index: int, outcome: Outcome
) -> Transceiver:
    """The transceiver of the section: the one it has, one of addTrack's that waits, or a new one."""
    known = record.at(index)
    if known is not None and known.mid == mid:
        return known
    if known is not None:  # the section is used again for something new
        known.mid = known.index = None
    found: Transceiver | None = None
    if receives(description.direction_of(media)) and not media.is_rejected:
        found = next(
            (
                one
                for one in record.transceivers
                if one.mid is None and one.kind == media.kind and one.is_of_add_track and not one.is_stopping
            ),
            None,
        )
    if found is None:
        found = Transceiver("audio" if media.kind == "audio" else "video", "recvonly")
        record.transceivers.append(found)
        outcome.created.append(found)
    found.mid, found.index = mid, index
    return found


def _apply(
    record: Record, transceiver: Transceiver, description: Description, media: MediaSection, kind: str, outcome: Outcome
) -> None:
    direction: TransceiverDirection = reverse(description.direction_of(media))
    if media.is_rejected:
        direction = "inactive"
    if kind == "offer":
        take_proposed_layers(transceiver, media)
    elif len(transceiver.encodings) > 1:
        keep_answered_layers(transceiver, media)
    streams: tuple[str, ...] = ()
    if receives(direction):
        streams = tuple(dict.fromkeys(msid.stream for msid in media.msids if msid.stream != "-")) or _old_streams(media)
    process_remote_track(transceiver, direction, streams, outcome)
    if kind != "offer" and not media.is_rejected:
        local = record.local
        ours = local.section(transceiver.index) if local is not None else None
        assert ours is not None
        agree_on_codecs(transceiver, ours=ours, theirs=media, direction=direction)
        transceiver.current_direction = direction
        transceiver.has_ever_sent |= sends(direction)
    if media.is_rejected and not transceiver.is_stopped:
        transceiver.stop()
        outcome.stopped.append(transceiver)


def _old_streams(media: MediaSection) -> tuple[str, ...]:
    """Before a=msid stood alone, it stood with a source; who says nothing means one for all (RFC 8830, 4)."""
    if media.has("msid"):
        return ()
    said = [source.value.split()[0] for source in media.sources if source.attribute == "msid" and source.value]
    return tuple(dict.fromkeys(stream for stream in said if stream != "-")) if said else ("default",)
