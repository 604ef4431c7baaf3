"""Encoders of VP8 (RFC 6386) and VP9: libvpx itself, or FFmpeg's way to it where this libvpx is unknown."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from peerline.errors import NotSupportedError
from peerline.media.codecs import libvpx
from peerline.media.codecs.ffmpeg_encoder import FfmpegEncoder
from peerline.media.codecs.settings import VideoSettings
from peerline.media.codecs.video_encoder import CLOCK_RATE, BaseVideoEncoder

if TYPE_CHECKING:
    import av

__all__ = ["FfmpegVp8Encoder", "FfmpegVp9Encoder", "Vp8Encoder", "Vp9Encoder", "vp8_encoder", "vp9_encoder"]


class _VpxEncoder(BaseVideoEncoder):
    _interface: str

    def __init__(self, settings: VideoSettings) -> None:
        super().__init__(settings)
        libvpx.require()
        self._encoder: libvpx.Encoder | None = None
        self._duration = max(1, round(CLOCK_RATE / settings.frame_rate))

    @abstractmethod
    def _controls(self, threads: int) -> dict[int, int]: ...

    def _open(self, width: int, height: int, threads: int) -> None:
        controls = self._controls(threads)
        self._encoder = libvpx.Encoder(self._interface, width, height, self._bitrate_bps, threads, controls)

    def _encode(self, picture: av.VideoFrame, ticks: int, *, is_key: bool) -> list[tuple[bytes, bool]]:
        assert self._encoder is not None
        return self._encoder.encode(picture, ticks, self._duration, is_key=is_key)

    def _follow_bitrate(self) -> None:
        if self._encoder is not None:
            self._encoder.set_bitrate(self._bitrate_bps)

    def _release(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None


class Vp8Encoder(_VpxEncoder):
    """VP8 of libvpx; a new bitrate holds from the next picture on."""

    codec = "vp8"
    _interface = "vpx_codec_vp8_cx"

    def _controls(self, threads: int) -> dict[int, int]:
        # A key frame may take as much as nine usual ones. Threads share partitions.
        return {
            libvpx.CPU_USED: -8,
            libvpx.STATIC_THRESHOLD: 1,
            libvpx.MAX_INTRA: 900,
            libvpx.TOKEN_PARTITIONS: _shares(threads),
        }


class Vp9Encoder(_VpxEncoder):
    """VP9 of libvpx, profile 0; a new bitrate holds from the next picture on."""

    codec = "vp9"
    _interface = "vpx_codec_vp9_cx"

    def _controls(self, threads: int) -> dict[int, int]:
        return {
            libvpx.CPU_USED: 8,
            libvpx.STATIC_THRESHOLD: 1,
            libvpx.MAX_INTRA: 900,
            libvpx.AQ_MODE: 3,
            libvpx.ROW_MT: 1,
            libvpx.TILES: _shares(threads),
        }


class FfmpegVp8Encoder(FfmpegEncoder):
    """VP8 through FFmpeg."""

    codec = "vp8"
    ffmpeg_name = "libvpx"

    def _options(self, bitrate_bps: int, threads: int) -> dict[str, str]:
        return {"cpu-used": "-8", "static-thresh": "1", **_realtime(bitrate_bps)}


class FfmpegVp9Encoder(FfmpegEncoder):
    """VP9 through FFmpeg."""

    codec = "vp9"
    ffmpeg_name = "libvpx-vp9"

    def _options(self, bitrate_bps: int, threads: int) -> dict[str, str]:
        return {"cpu-used": "8", "row-mt": "1", "aq-mode": "3", "tile-columns": "1", **_realtime(bitrate_bps)}


def _shares(threads: int) -> int:
    """The logarithm of the partitions or tiles: a power of 2, 8 at most."""
    return min(3, threads.bit_length() - 1)


def _realtime(bitrate_bps: int) -> dict[str, str]:
    rate = str(bitrate_bps)
    limits = {"minrate": rate, "maxrate": rate, "bufsize": rate, "qmin": "2", "qmax": "56"}
    return {"deadline": "realtime", "lag-in-frames": "0", "error-resilient": "default", **limits}


def vp8_encoder(settings: VideoSettings) -> BaseVideoEncoder:
    """The best there is."""
    try:
        return Vp8Encoder(settings)
    except NotSupportedError:
        return FfmpegVp8Encoder(settings)


def vp9_encoder(settings: VideoSettings) -> BaseVideoEncoder:
    """The best there is."""
    try:
        return Vp9Encoder(settings)
    except NotSupportedError:
        return FfmpegVp9Encoder(settings)
