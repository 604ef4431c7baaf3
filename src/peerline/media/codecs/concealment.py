"""In place of lost sound: the last period of the voice, again and again, softer each time (ITU-T G.711, appendix I)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Concealment"]

Samples = NDArray[np.int16]


class Concealment:
    """Of one channel. Hears what is played, and goes on with it when nothing comes."""

    def __init__(self, rate: int) -> None:
        # Voices are between 66 and 400 Hz; two of the longest periods have to be known to find the right one.
        self._shortest, self._longest = rate // 400, rate // 66
        self._fade = rate * 60 // 1000  # until silence
        self._blend = rate * 5 // 1000  # from the made-up wave into the real one
        self._past = np.zeros(2 * self._longest, np.float32)
        self._period: NDArray[np.float32] | None = None
        self._made = 0

    def heard(self, samples: Samples) -> Samples:
        """To be told all real samples, of shape (count,); gives them with a soft beginning after a loss."""
        if self._period is not None and len(samples):
            count = min(self._blend, len(samples))
            share = np.linspace(0, 1, count, dtype=np.float32)
            samples = samples.copy()
            samples[:count] = samples[:count] * share + self._continued(count) * (1 - share)
        self._period, self._made = None, 0
        self._remember(samples.astype(np.float32))
        return samples

    def make(self, count: int) -> Samples:
        """So many samples of what might have come."""
        if self._period is None:
            self._period = self._past[-self._lag() :].copy()
        wave = self._continued(count)
        self._made += count
        return wave.round().astype(np.int16)

    def _continued(self, count: int) -> NDArray[np.float32]:
        assert self._period is not None
        at = self._made + np.arange(count)
        loudness = np.clip(1 - at / self._fade, 0, 1).astype(np.float32)
        return self._period[at % len(self._period)] * loudness

    def _lag(self) -> int:
        """The period whose repetition fits the last samples best."""
        size = self._longest
        last = self._past[-size:]
        # Each row is what was `lag` samples earlier.
        windows = np.lib.stride_tricks.sliding_window_view(self._past, size)
        earlier = windows[size - self._longest : size - self._shortest + 1]
        energy = np.sqrt(np.einsum("ij,ij->i", earlier, earlier)) + 1.0
        return self._longest - int(np.argmax(earlier @ last / energy))

    def _remember(self, samples: NDArray[np.float32]) -> None:
        self._past = np.concatenate((self._past, samples))[-len(self._past) :]
