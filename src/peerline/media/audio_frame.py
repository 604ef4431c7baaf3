"""A piece of sound: 16-bit samples of one or more channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peerline.errors import RangeError
from peerline.media.codecs.libraries import media_extra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AudioFrame"]


@dataclass(frozen=True, slots=True, eq=False)
class AudioFrame:
    """`samples` has the shape (count, channels) and the type int16; `timestamp` is where it begins, in samples.

    Raises TypeError for another shape or type, RangeError for a rate that is none.
    """

    samples: NDArray[np.int16]
    rate: int
    """Samples a second, of each channel."""
    timestamp: int = 0

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype.char != "h":
            shape = f"{self.samples.dtype} of shape {self.samples.shape}"
            raise TypeError(f"samples are int16 of shape (count, channels), not {shape}: try samples.reshape(-1, 1)")
        if self.rate <= 0 or self.samples.shape[1] == 0:
            raise RangeError("a frame of sound has a rate and at least one channel")

    @classmethod
    def silence(cls, count: int, *, rate: int = 48000, channels: int = 1, timestamp: int = 0) -> AudioFrame:
        """`count` samples of nothing in each channel."""
        with media_extra():
            import numpy as np
        return cls(np.zeros((count, channels), np.int16), rate, timestamp)

    @property
    def count(self) -> int:
        """Samples of each channel."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """1 for mono, 2 for stereo."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Seconds it lasts."""
        return self.count / self.rate

    @property
    def time_s(self) -> float:
        """Seconds from the beginning of the stream to its first sample."""
        return self.timestamp / self.rate

    def to_mono(self) -> AudioFrame:
        """The mean of its channels; itself if there is but one."""
        return self.with_channels(1)

    def with_channels(self, channels: int) -> AudioFrame:
        """Mono is the mean of all, more channels than there are repeat the last, fewer are the first ones."""
        if channels == self.channels:
            return self
        if channels == 1:
            samples = self.samples.mean(axis=1).round().astype("int16").reshape(-1, 1)
        else:
            samples = self.samples[:, [min(index, self.channels - 1) for index in range(channels)]]
        return AudioFrame(samples, self.rate, self.timestamp)
