"""Sound to be spoken: frames of 20 ms of either implementation."""

from __future__ import annotations

import fractions
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from peerline.media.audio_frame import AudioFrame

__all__ = ["FRAME", "RATE", "TONES", "bursts", "tone", "voice"]

RATE = 48_000
FRAME = 960
TONES = 16
_LOUD = 2_000
_STEP_HZ = 200

Samples = NDArray[np.int16]


def bursts(implementation: str, every: int) -> Callable[[int], Any]:
    """Silence, but each `every`th frame is a tone: the last of as many. There are TONES of them, in turn."""
    at = np.arange(FRAME) / RATE
    waves = [(12_000 * np.sin(2 * np.pi * _hz(index) * at)).astype(np.int16) for index in range(TONES)]
    loud = [frame_maker(implementation, wave) for wave in waves]
    silent = frame_maker(implementation, np.zeros(FRAME, np.int16))
    return lambda index: (loud[index // every % TONES] if index % every == every - 1 else silent)(index)


def tone(frame: Any) -> int | None:
    """Which one a frame holds that was heard, 0 to TONES - 1; None if it is silent."""
    heard = frame.samples if isinstance(frame, AudioFrame) else frame.to_ndarray()
    # Channels that are interleaved hold the same here.
    wave = heard.reshape(FRAME, -1)[:, 0]
    if np.abs(wave).max() <= _LOUD:
        return None
    hz = np.argmax(np.abs(np.fft.rfft(wave))) * RATE / FRAME
    return min(TONES - 1, max(0, round((hz - _hz(0)) / _STEP_HZ)))


def voice(implementation: str) -> Callable[[int], Any]:
    """A second of something like a voice, with breath, again and again."""
    at = np.arange(RATE) / RATE
    phase = 2 * np.pi * (140 * at + 8 * np.sin(2 * np.pi * at) / (2 * np.pi))
    wave = np.sum([4000 / n * np.sin(n * phase) for n in range(1, 9)], axis=0)
    noise = np.random.default_rng(1).normal(0, 250, RATE)
    pieces = (wave + noise).astype(np.int16).reshape(-1, FRAME)
    made = [frame_maker(implementation, piece) for piece in pieces]
    return lambda index: made[index % len(made)](index)


def frame_maker(implementation: str, piece: Samples) -> Callable[[int], Any]:
    """Frames that all hold this piece, by their number."""
    if implementation == "aiortc":

        def make(index: int) -> Any:
            frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, index * FRAME, fractions.Fraction(1, RATE)
            return frame

        return make
    column = piece.reshape(-1, 1)
    return lambda index: AudioFrame(column, RATE, index * FRAME)


def _hz(index: int) -> float:
    return 400 + _STEP_HZ * index
