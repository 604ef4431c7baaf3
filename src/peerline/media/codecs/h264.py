"""The encoder of H.264: x264, constrained baseline, no delay (RFC 6184)."""

from __future__ import annotations

from peerline.media.codecs.ffmpeg_encoder import FfmpegEncoder

__all__ = ["H264Encoder"]


class H264Encoder(FfmpegEncoder):
    """Annex B with the parameter sets before each key frame. A new bitrate may have to wait up to 2 s."""

    codec = "h264"
    ffmpeg_name = "libx264"
    is_even = True
    smallest = 2

    def _options(self, bitrate_bps: int, threads: int) -> dict[str, str]:
        return {
            "preset": "veryfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "forced-idr": "1",
            "maxrate": str(bitrate_bps),
            "bufsize": str(bitrate_bps // 2),
            "x264-params": "keyint=infinite:scenecut=0",
        }

    def _follow_bitrate(self) -> None:
        # x264, alone among those FFmpeg wraps, does hear of it; it goes down within a second, and hardly up.
        if self._context is not None:
            self._context.bit_rate = self._bitrate_bps
