"""One encoded frame of sound or picture, as an encoder gives it and a decoder takes it (RFC 3550, section 5.1)."""

from __future__ import annotations

import msgspec

__all__ = ["EncodedFrame"]


class EncodedFrame(msgspec.Struct, frozen=True, gc=False):
    """What is carried by the packets of one RTP timestamp.

    `data` is a raw frame: an Opus packet, a VP8 or VP9 frame, for H.264 an access unit in Annex B (with start codes),
    for AV1 a temporal unit of OBUs with their sizes, with or without a temporal delimiter. Many are made each second:
    `msgspec.structs.replace` makes one that differs.
    """

    data: bytes
    timestamp: int
    """Ticks of the codec's RTP clock, counted from wherever the stream began; never wraps."""
    codec: str
    """ "opus", "pcmu", "pcma", "g722", "vp8", "vp9", "h264", "av1", or the name of a registered one."""
    is_key: bool = True
    """Whether it can be decoded without those before it; always so for sound."""
    duration: int | None = None
    """Ticks; None if only the next frame will tell."""
    lost_before: int = 0
    """How many frames right before this one are known to be missing."""
    payload_type: int | None = None
    """Of RTP, where it came from a connection: which of several kinds of a codec (profiles of H.264) it is."""
    rotation: int = 0
    """Degrees clockwise by which a viewer has to turn the picture (3GPP TS 26.114, section 7.4.5)."""
    audio_level: int | None = None
    """How loud it is: 0 (overload) to 127 (silence), −dBov (RFC 6464)."""
