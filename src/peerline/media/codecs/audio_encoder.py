"""What all encoders of sound do: cut it into frames, tell how loud each is (RFC 6464), count its time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from peerline.errors import InvalidStateError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.chunker import Chunker
from peerline.media.codecs.settings import AudioSettings
from peerline.media.encoded_frame import EncodedFrame

__all__ = ["BaseAudioEncoder", "audio_level"]


def audio_level(samples: NDArray[np.int16]) -> int:
    """−dBov, 0 (the loudest there can be) to 127 (silence), of samples of any shape."""
    if samples.size == 0:
        return 127
    flat = samples.ravel().astype(np.float32)
    power = float(np.dot(flat, flat)) / samples.size / 32768**2
    return 127 if power <= 0 else min(127, max(0, round(-10 * math.log10(power))))


class BaseAudioEncoder(ABC):
    """A subclass encodes frames of one length; an AudioEncoder (codec.py) is what comes out."""

    codec: ClassVar[str]
    rate: ClassVar[int]
    clock_rate: ClassVar[int]
    is_brief: ClassVar[bool] = True

    def __init__(self, settings: AudioSettings, channels: int = 1) -> None:
        self._count = self.rate * settings.frame_ms // 1000
        self._chunker = Chunker(self.rate, channels, self._count)
        self._is_closed = False

    def encode(self, frame: AudioFrame) -> list[EncodedFrame]:
        """The frames that are full now, none to many."""
        if self._is_closed:
            raise InvalidStateError(f"this encoder of {self.codec} is closed")
        return [
            self._frame(timestamp, samples, data)
            for timestamp, samples in self._chunker.push(frame)
            if (data := self._encode(samples)) is not None
        ]

    def set_bitrate(self, bitrate_bps: int) -> None:  # noqa: B027  # codecs with one bitrate have nothing to do
        """Ignored: it has but one."""

    def set_expected_loss(self, share: float) -> None:  # noqa: B027  # most codecs know no loss
        """Ignored: nothing can be done about it."""

    def close(self) -> None:
        """Give memory back; once more is fine."""
        self._is_closed = True

    @abstractmethod
    def _encode(self, samples: NDArray[np.int16]) -> bytes | None:
        """A frame of (count, channels); None if nothing is to be sent for it."""

    def _frame(self, timestamp: int, samples: NDArray[np.int16], data: bytes) -> EncodedFrame:
        return EncodedFrame(
            data,
            timestamp * self.clock_rate // self.rate,
            self.codec,
            duration=self._count * self.clock_rate // self.rate,
            audio_level=audio_level(samples),
        )
