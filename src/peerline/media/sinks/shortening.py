"""Taking a few milliseconds out of sound so that nobody hears it: one period of its wave, where it is quietest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peerline.media.codecs.libraries import media_extra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

__all__ = ["Shortening"]

# Below this, about −40 dB, it passes for a pause.
_QUIET = 300.0


class Shortening:
    """At one rate, for samples of shape (count, channels)."""

    def __init__(self, rate: int) -> None:
        with media_extra():
            import numpy as np
        self._np = np
        # Voices are between 80 and 400 Hz.
        self._shortest, self._longest = rate // 400, rate // 80
        self._blend = rate * 5 // 1000
        self._step = max(1, rate // 400)

    def shorten(self, samples: Samples, most: int, *, only_quiet: bool) -> Samples:
        """Without up to `most` samples; as they were if they are too few, or if only quiet ones may go and none are."""
        size = self._longest + self._blend
        longest = min(self._longest, most)
        if len(samples) < size or longest < self._shortest:
            return samples
        np = self._np
        mono = samples.astype(np.float32).mean(axis=1)
        at, loudness = self._quietest(mono, size)
        if only_quiet and loudness > _QUIET:
            return samples
        length = self._period(mono[at:], longest)
        share = np.linspace(1, 0, self._blend, dtype=np.float32)[:, None]
        before, after = samples[at : at + self._blend], samples[at + length : at + length + self._blend]
        blended = (before * share + after * (1 - share)).round().astype(np.int16)
        shorter: Samples = np.concatenate((samples[:at], blended, samples[at + length + self._blend :]))
        return shorter

    def _quietest(self, mono: NDArray[np.float32], size: int) -> tuple[int, float]:
        np = self._np
        energy = np.concatenate(([0.0], np.cumsum(mono.astype(np.float64) ** 2)))
        starts = np.arange(0, len(mono) - size + 1, self._step)
        power = energy[starts + size] - energy[starts]
        best = int(np.argmin(power))
        return int(starts[best]), float(np.sqrt(max(power[best], 0.0) / size))

    def _period(self, mono: NDArray[np.float32], longest: int) -> int:
        """The length after which it is most like itself."""
        np = self._np
        first = mono[: self._blend]
        windows = np.lib.stride_tricks.sliding_window_view(mono[: longest + self._blend], self._blend)
        later = windows[self._shortest : longest + 1]
        energy = np.sqrt(np.einsum("ij,ij->i", later, later)) + 1.0
        return self._shortest + int(np.argmax(later @ first / energy))
