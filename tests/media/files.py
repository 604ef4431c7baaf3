"""Small files of sound and pictures, written by PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FRAME_RATE = 25
WIDTH, HEIGHT = 64, 48


def write_file(
    path: Path,
    *,
    video: str | None = "libx264",
    audio: str | None = "aac",
    duration_s: float = 1.0,
    rate: int = 48000,
    options: dict[str, str] | None = None,
) -> Path:
    """Pictures that become brighter, and a tone, for so long."""
    with av.open(str(path), "w") as container:
        # All streams are to be known before the first packet.
        pictures: Any = container.add_stream(video, rate=FRAME_RATE, options=options or {}) if video else None
        sound: Any = container.add_stream(audio, rate=rate) if audio else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if sound is not None:
            sound.layout = "mono"
        if pictures is not None:
            for index in range(round(FRAME_RATE * duration_s)):
                array = np.full((HEIGHT, WIDTH, 3), index * 8 % 256, np.uint8)
                picture = av.VideoFrame.from_ndarray(array, format="rgb24")
                picture.pts, picture.time_base = index, Fraction(1, FRAME_RATE)
                container.mux(pictures.encode(picture))
            container.mux(pictures.encode(None))
        if sound is not None:
            wave = 8000 * np.sin(np.arange(round(rate * duration_s)) * 2 * np.pi * 300 / rate)
            piece = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None, :], format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = rate, 0, Fraction(1, rate)
            pieces = av.AudioFifo()
            pieces.write(piece)
            while (part := pieces.read(sound.codec_context.frame_size or 960, partial=True)) is not None:
                container.mux(sound.encode(part))
            container.mux(sound.encode(None))
    return path
