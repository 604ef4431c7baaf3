"""Encoders of pictures that FFmpeg wraps. It tells an open one no new bitrate, so they are opened anew for it."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import ClassVar

import av
import numpy as np
from av.video.frame import PictureType

from peerline.errors import EncodingError, NotSupportedError
from peerline.media.codecs.settings import VideoSettings
from peerline.media.codecs.video_encoder import CLOCK_RATE, BaseVideoEncoder
from peerline.media.reformat import reformatted

__all__ = ["FfmpegEncoder"]

# Opening anew costs a key frame: only for steps that matter, and never twice in so short a time.
_STEP = 0.15
_PAUSE_TICKS = 2 * CLOCK_RATE


class FfmpegEncoder(BaseVideoEncoder):
    """A subclass names the codec and FFmpeg's encoder of it, and gives its options."""

    ffmpeg_name: ClassVar[str]
    is_reopened_for_keys: ClassVar[bool] = False
    """Whether a key frame on demand would be larger than is good for a call."""
    is_even: ClassVar[bool] = False
    """Whether only even sizes can be encoded: an odd one is scaled to one less."""
    smallest: ClassVar[int] = 1
    """The least width and height; what is smaller is scaled up."""

    def __init__(self, settings: VideoSettings) -> None:
        super().__init__(settings)
        if self.ffmpeg_name not in av.codecs_available:
            raise NotSupportedError(f"this PyAV has no encoder {self.ffmpeg_name}")
        self._context: av.VideoCodecContext | None = None
        self._opened_bps = settings.bitrate_bps

    @abstractmethod
    def _options(self, bitrate_bps: int, threads: int) -> dict[str, str]: ...

    def _must_reopen(self, ticks: int) -> bool:
        if self._wants_key and self.is_reopened_for_keys:
            return True
        step = abs(self._bitrate_bps - self._opened_bps) / self._opened_bps
        return step > _STEP and ticks - self._opened_ticks >= _PAUSE_TICKS

    def _open(self, width: int, height: int, threads: int) -> None:
        width, height = self._fit(width), self._fit(height)
        context = av.CodecContext.create(self.ffmpeg_name, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = Fraction(1, CLOCK_RATE)
        context.framerate = Fraction(self._settings.frame_rate).limit_denominator(1001)
        context.bit_rate = self._bitrate_bps
        context.thread_count = threads
        context.gop_size = 1 << 20
        context.options = self._options(self._bitrate_bps, threads)
        try:
            context.open()
        except av.FFmpegError as error:
            raise EncodingError(f"{self.ffmpeg_name} does not open an encoder of {width}x{height}: {error}") from error
        self._context = context
        self._opened_bps = self._bitrate_bps

    def _fit(self, length: int) -> int:
        return max(self.smallest, length & ~1 if self.is_even else length)

    def _encode(self, picture: av.VideoFrame, ticks: int, *, is_key: bool) -> list[tuple[bytes, bool]]:
        assert self._context is not None
        width, height = self._context.width, self._context.height
        is_same = (picture.width, picture.height) == (width, height)
        # A copy in any case: time and type are written into it, and others may be encoding the same picture.
        picture = _copy(picture) if is_same else reformatted(picture, width=width, height=height)
        picture.pts, picture.time_base = ticks, Fraction(1, CLOCK_RATE)
        picture.pict_type = PictureType.I if is_key else PictureType.NONE
        try:
            return [(bytes(packet), packet.is_keyframe) for packet in self._context.encode(picture)]
        except av.FFmpegError as error:
            raise EncodingError(f"{self.ffmpeg_name} does not take a picture: {error}") from error

    def _release(self) -> None:
        self._context = None


def _copy(picture: av.VideoFrame) -> av.VideoFrame:
    copy = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for source, target in zip(picture.planes, copy.planes, strict=True):
        rows = np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)
        copied = np.frombuffer(memoryview(target), np.uint8).reshape(-1, target.line_size)
        copied[:, : target.width] = rows[:, : source.width]
    return copy
