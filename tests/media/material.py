"""What is encoded in tests: a voice-like tone, a moving picture; and how alike two of them are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from peerline.media.audio_frame import AudioFrame
from peerline.media.video_frame import VideoFrame

FRAME_RATE = 30


def tone(duration_s: float, rate: int, *, hertz: float = 300, channels: int = 1) -> NDArray[np.int16]:
    """A tone that swells and wanes, of shape (count, channels)."""
    time_s = np.arange(round(duration_s * rate)) / rate
    wave = 8000 * np.sin(2 * np.pi * hertz * time_s) * (1 + 0.3 * np.sin(2 * np.pi * 3 * time_s))
    return np.repeat(wave.round().astype(np.int16)[:, None], channels, axis=1)


def voice(duration_s: float, rate: int) -> NDArray[np.int16]:
    """Harmonics of a gliding voice and some breath, of shape (count, 1): harder to encode than a tone."""
    time_s = np.arange(round(duration_s * rate)) / rate
    phase = 2 * np.pi * (140 * time_s + 8 * np.sin(2 * np.pi * 0.7 * time_s))
    wave = sum(4000 / n * np.sin(n * phase) for n in range(1, 9))
    breath = np.random.default_rng(7).normal(0, 250, time_s.size)
    samples: NDArray[np.int16] = (wave + breath).round().astype(np.int16)[:, None]
    return samples


def pieces(samples: NDArray[np.int16], rate: int, count: int) -> Iterator[AudioFrame]:
    """Frames of `count` samples; the last may be shorter."""
    for start in range(0, len(samples), count):
        yield AudioFrame(samples[start : start + count], rate, start)


@lru_cache(maxsize=400)
def pixels(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Waves and a gradient that move, a red card on its way round, a little noise: (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(index).normal(0, 2, (height, width, 1))
    red = 128 + 80 * np.sin((x + 3 * index) / 37) * np.cos(y / 23)
    green = 128 + 70 * np.cos((x - y + 2 * index) / 51)
    blue = 60 + 120 * x / width
    picture = np.stack([red, green, blue], axis=-1)
    across = int(width * (0.5 + 0.3 * math.sin(index / 15)))
    down = int(height * (0.5 + 0.3 * math.cos(index / 11)))
    picture[down - height // 10 : down + height // 10, across - width // 10 : across + width // 10] = (230, 40, 60)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def picture(index: int, width: int = 320, height: int = 240) -> VideoFrame:
    """The one of that number; they go forth and back, so that no more than 60 are painted."""
    painted = index % 60 if index // 60 % 2 == 0 else 59 - index % 60
    return VideoFrame.from_ndarray(pixels(painted, width, height), time_s=index / FRAME_RATE)


def psnr(one: VideoFrame, other: VideoFrame) -> float:
    """Peak signal-to-noise ratio of the brightness, dB."""
    difference = one.to_ndarray("gray").astype(np.float64) - other.to_ndarray("gray")
    return 99.0 if not difference.any() else float(10 * np.log10(255**2 / np.mean(difference**2)))


def correlation(one: NDArray[np.int16], other: NDArray[np.int16], most_delay: int) -> float:
    """How alike two waves are, 1 being the same, if the other is up to `most_delay` samples late."""
    first, second = one.ravel().astype(np.float64), other.ravel().astype(np.float64)
    count = min(len(first), len(second)) - most_delay
    first = first[:count]
    return max(
        float(np.dot(first, late) / (np.linalg.norm(first) * np.linalg.norm(late) + 1e-9))
        for late in (second[delay : delay + count] for delay in range(most_delay))
    )
