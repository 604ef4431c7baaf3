"""What descriptions agreed on, as the packet core is told it (RFC 9429, sections 5.9 and 5.11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from peerline.engine.media import CodecPlan, MediaPlan, SectionPlan, SendingPlan
from peerline.jsep.direction import receives, sends
from peerline.jsep.header_extensions import SHORT_NAMES
from peerline.webrtc.bitrate import sending_limit

if TYPE_CHECKING:
    from peerline.sdp import Codec, MediaSection
    from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver

__all__ = ["Carried", "media_plan"]

# What packets are made of and read as; the rest (ulpfec, flexfec, comfort noise) is never negotiated.
_FORMATS = {"opus", "pcmu", "pcma", "g722", "telephone-event", "vp8", "vp9", "h264", "av1", "red"}


class Carried(NamedTuple):
    """A transceiver, and its sections of the two descriptions."""

    transceiver: RTCRtpTransceiver
    local: MediaSection | None
    remote: MediaSection | None


def media_plan(cname: str, transceivers: Sequence[Carried]) -> MediaPlan:
    """Of the transceivers that share a transport."""
    sections = [_section(*carried) for carried in transceivers]
    has_reduced_size = all(carried.transceiver._negotiated.is_rtcp_reduced_size for carried in transceivers)
    return MediaPlan(cname, has_reduced_size, sections)


def _section(transceiver: RTCRtpTransceiver, local: MediaSection | None, remote: MediaSection | None) -> SectionPlan:
    state = transceiver._negotiated
    direction = state.current_direction or "inactive"
    extensions = [(SHORT_NAMES[one.uri], one.id) for one in state.extensions if one.uri in SHORT_NAMES]
    send = None
    if sends(direction) and state.ssrcs is not None and state.encodings and transceiver._sender._is_active:
        codecs = [plan for plan in _codecs(state.send_codecs) if plan.name != "red"]
        has_rtx = any(plan.rtx is not None for plan in codecs)
        limit = sending_limit(state.encodings, remote)
        send = SendingPlan(state.ssrcs[0], state.ssrcs[1] if has_rtx else None, codecs, limit)
    return SectionPlan(
        section=transceiver._number,
        mid=state.mid or "",
        is_video=state.kind == "video",
        extensions=extensions,
        receive=_received(state.receive_codecs, local) if receives(direction) else (),
        sources=_sources(remote),
        playout_delay_ms=round(transceiver._receiver._jitter_buffer_target or 0),
        send=send,
    )


def _codecs(codecs: Sequence[Codec]) -> list[CodecPlan]:
    repairs = {codec.repairs: codec.payload_type for codec in codecs if codec.key == "rtx"}
    return [
        CodecPlan(
            payload_type=codec.payload_type,
            name=codec.key,
            clock_hz=codec.clock_rate_hz,
            rtx=repairs.get(codec.payload_type),
            feedback=[f"{one.kind} {one.parameter}".strip() for one in codec.feedback],
        )
        for codec in codecs
        if codec.key in _FORMATS
    ]


def _received(agreed: Sequence[Codec], local: MediaSection | None) -> list[CodecPlan]:
    """What we offered may come, whatever the answer took of it (RFC 3264, section 6.1)."""
    offered = local.codecs if local is not None else ()
    known = {codec.payload_type for codec in agreed}
    return _codecs([*agreed, *(codec for codec in offered if codec.payload_type not in known)])


def _sources(remote: MediaSection | None) -> list[tuple[int, int | None]]:
    """Those of a=ssrc, with those of a=ssrc-group:FID."""
    if remote is None:
        return []
    pairs = {
        group.ssrcs[0]: group.ssrcs[1]
        for group in remote.source_groups
        if group.semantics == "FID" and len(group.ssrcs) == 2
    }
    repairs = set(pairs.values())
    named = dict.fromkeys(source.ssrc for source in remote.sources)
    return [(ssrc, pairs.get(ssrc)) for ssrc in named if ssrc not in repairs]
