"""The codecs that are offered, with the payload types they have unless somebody took these (RFC 7742, 7874; W3C 5.3).

The numbers are those of Chromium, so that what people read elsewhere fits. `red` carries the last packet again (RFC
2198), `rtx` sends lost ones once more (RFC 4588).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from peerline.jsep.transceiver import Kind
from peerline.sdp import Codec, Feedback, Fmtp

__all__ = ["CODECS", "RTX", "Row", "is_media", "rows_for"]

_REPAIR = frozenset(("rtx", "red", "ulpfec", "flexfec-03", "cn", "telephone-event"))
_VIDEO_FEEDBACK = (("goog-remb", ""), ("transport-cc", ""), ("ccm", "fir"), ("nack", ""), ("nack", "pli"))


@dataclass(frozen=True)
class Row:
    """A codec and the payload type of its retransmissions, if it has them."""

    codec: Codec
    rtx: int | None = None

    @property
    def is_redundancy(self) -> bool:
        """Audio's RED: its format parameters name the payload type that it repeats."""
        return self.codec.key == "red" and "/" in self.codec.fmtp.text


def _audio(payload_type: int, name: str, rate: int, channels: int = 1, fmtp: str = "", *feedback: str) -> Row:
    fb = tuple(Feedback(payload_type, kind) for kind in feedback)
    return Row(Codec(payload_type, name, rate, channels, Fmtp(fmtp), fb))


def _video(payload_type: int, rtx: int | None, name: str, fmtp: str = "") -> Row:
    fb = tuple(Feedback(payload_type, kind, what) for kind, what in _VIDEO_FEEDBACK)
    return Row(Codec(payload_type, name, 90000, 1, Fmtp(fmtp), fb), rtx)


def _h264(payload_type: int, rtx: int, mode: int, profile: str) -> Row:
    fmtp = f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"
    return _video(payload_type, rtx, "H264", fmtp)


CODECS: dict[Kind, tuple[Row, ...]] = {
    "audio": (
        _audio(111, "opus", 48000, 2, "minptime=10;useinbandfec=1", "transport-cc"),
        _audio(63, "red", 48000, 2, "111/111"),
        _audio(9, "G722", 8000),
        _audio(0, "PCMU", 8000),
        _audio(8, "PCMA", 8000),
        _audio(110, "telephone-event", 48000),
        _audio(126, "telephone-event", 8000),
    ),
    "video": (
        _video(96, 97, "VP8"),
        _h264(102, 103, 1, "42001f"),
        _h264(104, 107, 0, "42001f"),
        _h264(108, 109, 1, "42e01f"),
        _h264(114, 115, 0, "42e01f"),
        _h264(116, 117, 1, "4d001f"),
        _h264(39, 40, 0, "4d001f"),
        _video(45, 46, "AV1", "level-idx=5;profile=0;tier=0"),
        # No red with ulpfec: what is lost of it nobody sends again, so that whoever waits for a gap to close waits in
        # vain. What is asked for again (NACK) repairs more.
        _video(98, 99, "VP9", "profile-id=0"),
    ),
}

# Stands for the retransmissions of all codecs where preferences are given (W3C WebRTC 5.3, RTCRtpCapabilities).
RTX = Codec(97, "rtx", 90000)


def is_media(codec: Codec) -> bool:
    """Whether it carries sound or pictures, and not repairs, tones or silence."""
    return codec.key not in _REPAIR


def rows_for(kind: Kind, preferred: tuple[Codec, ...]) -> list[Row]:
    """What to negotiate, in order: the preferred ones, or all."""
    if not preferred:
        return list(CODECS[kind])
    has_rtx = any(codec.key == "rtx" for codec in preferred)
    by_codec = {id(row.codec): row for row in CODECS[kind]}
    rows = [by_codec[id(codec)] for codec in preferred if id(codec) in by_codec]
    has_opus = any(row.codec.key == "opus" for row in rows)
    rows = [row for row in rows if has_opus or not row.is_redundancy]
    return rows if has_rtx else [replace(row, rtx=None) for row in rows]
