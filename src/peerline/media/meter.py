"""Counting frames: how many, how many a second, how loud (Identifiers for WebRTC's Statistics API)."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peerline.media.audio_frame import AudioFrame
    from peerline.media.video_frame import VideoFrame

__all__ = ["PictureMeter", "SoundMeter"]

_SECOND = 1.0


class PictureMeter:
    """Of a stream of pictures."""

    def __init__(self) -> None:
        self.frames = 0
        self.key_frames = 0
        self.width = 0
        self.height = 0
        self.time_s = 0.0
        """Spent on encoding or decoding them."""
        self.total_gap_s = 0.0
        """Between one picture and the next, summed up; and of the squares."""
        self.total_squared_gap = 0.0
        self._lately: deque[float] = deque(maxlen=240)

    def saw(self, frame: VideoFrame) -> None:
        """One more."""
        now = time.perf_counter()
        self.frames += 1
        self.width, self.height = frame.width, frame.height
        if self._lately:
            gap = now - self._lately[-1]
            self.total_gap_s += gap
            self.total_squared_gap += gap * gap
        self._lately.append(now)

    @property
    def frames_per_second(self) -> int:
        """In the last second."""
        now = time.perf_counter()
        return sum(now - at <= _SECOND for at in tuple(self._lately))


class SoundMeter:
    """Of a stream of sound."""

    def __init__(self) -> None:
        self.samples = 0
        self.concealed = 0
        self.concealments = 0
        self.level = 0.0
        """From 0 (silence) to 1, of the last piece."""
        self.energy = 0.0
        self.duration_s = 0.0

    def heard(self, frame: AudioFrame) -> None:
        """One more piece."""
        count = frame.count
        if count == 0:
            return
        import numpy as np

        flat = frame.samples.ravel()
        self.level = min(1.0, max(int(flat.max()), -int(flat.min())) / 32767)
        wave = flat.astype(np.float32)
        self.energy += float(np.dot(wave, wave)) / len(wave) / 32767**2 * frame.duration_s
        self.samples += count
        self.duration_s += frame.duration_s
