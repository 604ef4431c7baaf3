"""Media of a data path: what descriptions agreed on, and frames (docs/decisions/0002). The packet core has the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["CodecPlan", "FrameOut", "MediaPlan", "ReceivedFrame", "SectionPlan", "SendingPlan"]


@dataclass(frozen=True, slots=True)
class CodecPlan:
    """A payload type and what it means."""

    payload_type: int
    name: str
    """ "opus", "vp8" … as a=rtpmap has it, in small letters."""
    clock_hz: int
    rtx: int | None = None
    """The payload type of its retransmissions (RFC 4588)."""
    feedback: Sequence[str] = ()
    """As a=rtcp-fb has it: "nack", "nack pli", "ccm fir", "transport-cc"."""


@dataclass(frozen=True, slots=True)
class SendingPlan:
    """Our source in a section."""

    ssrc: int
    rtx_ssrc: int | None
    codecs: Sequence[CodecPlan]
    max_bitrate_bps: int | None = None
    """Headers included; None: as much as the path carries."""


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """One media section."""

    section: int
    """Its owner's number for it, the same in every plan."""
    mid: str
    is_video: bool
    extensions: Sequence[tuple[str, int]]
    """Header extensions by their short names ("mid", "audio_level" …), and their ids."""
    receive: Sequence[CodecPlan]
    """What may come; empty: nothing."""
    sources: Sequence[tuple[int, int | None]] = ()
    """SSRCs that the description announces, each with that of its retransmissions."""
    playout_delay_ms: int = 0
    """Frames that come are held back for so long, that they go out evenly."""
    send: SendingPlan | None = None


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """Everything that one transport carries."""

    cname: str
    has_reduced_size: bool
    sections: Sequence[SectionPlan]


class FrameOut(NamedTuple):
    """A frame to be sent."""

    data: bytes
    timestamp: int
    """32 bits, in ticks of the codec's clock."""
    payload_type: int
    audio_level: int | None = None
    """0 (loudest) to 127 (silence), −dBov."""
    rotation_degrees: int | None = None
    """By how much it is to be turned clockwise before it is shown."""


class ReceivedFrame(NamedTuple):
    """A frame that has come, in decoding order."""

    data: bytes
    timestamp: int
    """32 bits, in ticks of the codec's clock."""
    payload_type: int
    ssrc: int
    is_key: bool
    lost_before: int
    """So many packets right before it never came."""
    age_s: float
    """Since its last packet came, when this was told."""
    audio_level: int | None
    rotation_degrees: int | None
    sources: list[int]
    """CSRCs: who was mixed into it."""
