"""Decoders of pictures: FFmpeg's own for VP8, VP9 and H.264, dav1d for AV1. None of them holds a picture back."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

import av

from peerline.errors import EncodingError, InvalidStateError, NotSupportedError
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.video_frame import VideoFrame

__all__ = ["Av1Decoder", "H264Decoder", "Vp8Decoder", "Vp9Decoder"]

_CLOCK_RATE = 90000


class _Decoder:
    codec: ClassVar[str]
    ffmpeg_name: ClassVar[str]
    options: ClassVar[dict[str, str]] = {}
    always_shows: ClassVar[bool] = False
    """Whether each frame holds a picture to be shown, not only each key frame."""

    def __init__(self) -> None:
        if self.ffmpeg_name not in av.codecs_available:
            raise NotSupportedError(f"this PyAV has no decoder {self.ffmpeg_name}")
        self._context: av.VideoCodecContext | None = None
        self._needs_key = True
        self._is_closed = False

    @property
    def needs_key_frame(self) -> bool:
        """Whether nothing comes out until a key frame comes in."""
        return self._needs_key

    def decode(self, encoded: EncodedFrame) -> list[VideoFrame]:
        """Its picture; none while a key frame is needed. Raises EncodingError if the data is malformed."""
        if self._is_closed:
            raise InvalidStateError(f"this decoder of {self.codec} is closed")
        if not encoded.data:
            self._needs_key = True
            raise EncodingError("a frame without data")
        if encoded.lost_before and not encoded.is_key:
            self._needs_key = True
        if self._needs_key and not encoded.is_key:
            return []
        pictures = self._pictures(encoded)
        self._needs_key = False
        time_s = encoded.timestamp / _CLOCK_RATE
        return [VideoFrame(picture, time_s=time_s, rotation=encoded.rotation) for picture in pictures]

    def close(self) -> None:
        """Give memory back; once more is fine."""
        self._is_closed = True
        self._context = None

    def _pictures(self, encoded: EncodedFrame) -> list[av.VideoFrame]:
        if self._context is None:
            self._context = self._open()
        packet = av.Packet(encoded.data)
        packet.pts, packet.time_base = encoded.timestamp, Fraction(1, _CLOCK_RATE)
        try:
            pictures = self._context.decode(packet)
        except av.FFmpegError as error:
            # What it has kept may be broken, too: the next key frame gets a new one.
            self._context = None
            self._needs_key = True
            raise EncodingError(f"a frame of {self.codec} cannot be decoded: {error}") from error
        if not pictures and (encoded.is_key or self.always_shows):
            self._needs_key = True
            raise EncodingError(f"a frame of {self.codec} holds no picture")
        return pictures

    def _open(self) -> av.VideoCodecContext:
        context = av.CodecContext.create(self.ffmpeg_name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_type = "SLICE"  # threads by frame hold pictures back
        context.options = self.options
        return context


class Vp8Decoder(_Decoder):
    """VP8 (RFC 6386)."""

    codec = "vp8"
    ffmpeg_name = "vp8"


class Vp9Decoder(_Decoder):
    """VP9."""

    codec = "vp9"
    ffmpeg_name = "vp9"


class H264Decoder(_Decoder):
    """H.264 in Annex B."""

    codec = "h264"
    ffmpeg_name = "h264"
    options: ClassVar[dict[str, str]] = {"flags": "low_delay", "err_detect": "explode"}


class Av1Decoder(_Decoder):
    """AV1, with temporal delimiters or without."""

    codec = "av1"
    ffmpeg_name = "libdav1d"
    options: ClassVar[dict[str, str]] = {"max_frame_delay": "1"}
    always_shows = True  # so is a temporal unit defined
