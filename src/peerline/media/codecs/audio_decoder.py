"""What all decoders of sound do: make up for lost frames, count time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from peerline.errors import EncodingError, InvalidStateError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.concealment import Concealment
from peerline.media.encoded_frame import EncodedFrame

__all__ = ["BaseAudioDecoder", "WaveformDecoder"]

Samples = NDArray[np.int16]

# After so many frames a loss is a pause: nobody wants a second of made-up sound in one go.
_MOST_MADE_UP = 10


class BaseAudioDecoder(ABC):
    """A subclass decodes and conceals; an AudioDecoder (codec.py) is what comes out."""

    codec: ClassVar[str]
    rate: ClassVar[int]
    clock_rate: ClassVar[int]
    is_brief: ClassVar[bool] = True

    def __init__(self) -> None:
        self._next = 0
        self.has_recovered = False
        """Whether the last frame that was lost is known: the one after it told."""
        self._is_closed = False

    def decode(self, encoded: EncodedFrame) -> list[AudioFrame]:
        """Its sound, and before it a stand-in for each frame of `lost_before`, ten at most."""
        self._must_be_open()
        if not encoded.data:
            raise EncodingError("a frame without data")
        count = self._count(encoded.data)
        lost = min(encoded.lost_before, _MOST_MADE_UP)
        start = encoded.timestamp * self.rate // self.clock_rate
        self._next = start - lost * count
        self.has_recovered = False
        made_up = [self.conceal(count) for _ in range(lost - 1)]
        if lost:
            made_up.append(self._frame(self._recover(encoded.data, count)))
        return [*made_up, self._frame(self._decode(encoded.data, count))]

    def conceal(self, sample_count: int) -> AudioFrame:
        """Sound in place of a lost frame, of so many samples a channel."""
        self._must_be_open()
        return self._frame(self._conceal(sample_count))

    def close(self) -> None:
        """Give memory back; once more is fine."""
        self._is_closed = True

    @abstractmethod
    def _count(self, data: bytes) -> int:
        """How many samples a channel it will be; EncodingError if that cannot be."""

    @abstractmethod
    def _decode(self, data: bytes, count: int) -> Samples: ...

    @abstractmethod
    def _conceal(self, sample_count: int) -> Samples: ...

    def _recover(self, data: bytes, sample_count: int) -> Samples:
        """What came right before `data`: some codecs tell."""
        return self._conceal(sample_count)

    def _frame(self, samples: Samples) -> AudioFrame:
        frame = AudioFrame(samples, self.rate, self._next)
        self._next += len(samples)
        return frame

    def _must_be_open(self) -> None:
        if self._is_closed:
            raise InvalidStateError(f"this decoder of {self.codec} is closed")


class WaveformDecoder(BaseAudioDecoder):
    """Of codecs that know nothing of losses: the wave is continued as it was."""

    def __init__(self) -> None:
        super().__init__()
        self._concealment = Concealment(self.rate)

    @abstractmethod
    def _wave(self, data: bytes) -> Samples:
        """Samples of shape (count,)."""

    def _decode(self, data: bytes, count: int) -> Samples:
        return self._concealment.heard(self._wave(data)).reshape(-1, 1)

    def _conceal(self, sample_count: int) -> Samples:
        return self._concealment.make(sample_count).reshape(-1, 1)
