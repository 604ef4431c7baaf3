"""The encoder of AV1: SVT-AV1 in its real-time mode (AV1 Bitstream & Decoding Process Specification)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from peerline.media.codecs.ffmpeg_encoder import FfmpegEncoder

if TYPE_CHECKING:
    import av

__all__ = ["Av1Encoder"]

_TEMPORAL_DELIMITER = b"\x12\x00"


class Av1Encoder(FfmpegEncoder):
    """Temporal units without their delimiters, which RTP leaves out. A new bitrate may have to wait up to 2 s."""

    codec = "av1"
    ffmpeg_name = "libsvtav1"
    is_reopened_for_keys = True
    smallest = 64  # of its rate control

    def _options(self, bitrate_bps: int, threads: int) -> dict[str, str]:
        # It writes to the terminal whenever it is opened; what is an error comes as an exception.
        os.environ.setdefault("SVT_LOG", "0")
        parameters = f"rtc=1:pred-struct=1:rc=2:lookahead=0:scd=0:lp={threads}"
        return {"preset": "11", "svtav1-params": parameters}

    def _encode(self, picture: av.VideoFrame, ticks: int, *, is_key: bool) -> list[tuple[bytes, bool]]:
        units = super()._encode(picture, ticks, is_key=is_key)
        return [(data.removeprefix(_TEMPORAL_DELIMITER), is_key) for data, is_key in units]

    def _release(self) -> None:
        if self._context is not None and self._context.is_open:
            self._context.encode(None)  # told that it is over, it does not complain of it
        super()._release()
