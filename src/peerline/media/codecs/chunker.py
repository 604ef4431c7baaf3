"""Sound of any rate, channels and length, cut into the frames that a codec takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.libraries import media_extra

__all__ = ["Chunker", "Resampler"]

Samples = NDArray[np.int16]

# A frame that begins so much later than the last one ended begins after a pause; less is a clock that is not exact.
_GAP_S = 0.04


class Resampler:
    """From one rate to another; the channels stay. It holds back some samples, which come with the next ones."""

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        with media_extra():
            import av
        self._make = av.AudioFrame.from_ndarray
        self._layout = "mono" if channels == 1 else "stereo"
        self._from_rate = from_rate
        self._resampler = av.AudioResampler(format="s16", layout=self._layout, rate=to_rate)

    def resample(self, samples: Samples) -> Samples:
        """(count, channels) in, (about count · to / from, channels) out."""
        channels = samples.shape[1]
        if len(samples) == 0:
            return samples
        frame = self._make(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate = self._from_rate
        pieces = [out.to_ndarray().reshape(-1, channels) for out in self._resampler.resample(frame)]
        return np.concatenate(pieces) if pieces else samples[:0]


class Chunker:
    """Frames of `sample_count` samples at `rate`; timestamps begin with that of the first frame and never go back."""

    def __init__(self, rate: int, channels: int, sample_count: int) -> None:
        self._rate = rate
        self._channels = channels
        self._count = sample_count
        self._kept: Samples = np.zeros((0, channels), np.int16)
        self._start: int | None = None
        self._source_rate = rate
        self._source_end = 0
        self._resampler: Resampler | None = None

    def push(self, frame: AudioFrame) -> Iterator[tuple[int, Samples]]:
        """Those that are full now: the timestamp, in samples at the codec's rate, and the samples."""
        self._begin(frame)
        self._source_end = frame.timestamp + frame.count
        samples = frame.with_channels(self._channels).samples
        if self._resampler is not None:
            samples = self._resampler.resample(samples)
        samples = np.concatenate((self._kept, samples)) if len(self._kept) else samples
        whole = len(samples) - len(samples) % self._count
        # A copy: the source may use its array again.
        self._kept = samples[whole:].copy()
        for at in range(0, whole, self._count):
            assert self._start is not None
            yield self._start, samples[at : at + self._count]
            self._start += self._count

    def _begin(self, frame: AudioFrame) -> None:
        if self._start is None:
            self._start = round(frame.timestamp * self._rate / frame.rate)
        elif frame.rate == self._source_rate:
            gap_s = (frame.timestamp - self._source_end) / frame.rate
            if gap_s > _GAP_S:
                self._kept = self._kept[:0]
                self._start += round(gap_s * self._rate)
        if frame.rate != self._source_rate:
            self._source_rate = frame.rate
            is_same = frame.rate == self._rate
            self._resampler = None if is_same else Resampler(frame.rate, self._rate, self._channels)
