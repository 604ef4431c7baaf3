"""G.711, µ-law and A-law, by tables (ITU-T G.711; RFC 3551, section 4.5.14)."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from peerline.media.codecs.audio_decoder import WaveformDecoder
from peerline.media.codecs.audio_encoder import BaseAudioEncoder
from peerline.media.codecs.settings import AudioSettings

__all__ = ["ALawDecoder", "ALawEncoder", "MuLawDecoder", "MuLawEncoder"]


@cache
def _expansion(law: str) -> NDArray[np.int16]:
    """The sample that each of the 256 bytes stands for."""
    code = np.arange(256)
    if law == "pcmu":
        code = ~code & 0xFF
        size = (((code & 0x0F) << 3) + 132 << (code >> 4 & 7)) - 132
        sign = np.where(code & 0x80, -1, 1)
    else:
        code ^= 0x55
        segment = code >> 4 & 7
        size = ((code & 0x0F) << 4) + np.where(segment, 264, 8) << np.maximum(segment - 1, 0)
        sign = np.where(code & 0x80, 1, -1)
    samples: NDArray[np.int16] = (sign * size).astype(np.int16)
    return samples


@cache
def _compression(law: str) -> NDArray[np.uint8]:
    """The byte whose sample is nearest, for each of the 65,536 samples, counted as unsigned ones."""
    expansion = _expansion(law).astype(np.int32)
    order = np.argsort(expansion, kind="stable")
    values = expansion[order]
    limits = (values[:-1] + values[1:]) / 2
    samples = np.arange(65536, dtype=np.uint16).view(np.int16)
    return order[np.searchsorted(limits, samples)].astype(np.uint8)


class _Encoder(BaseAudioEncoder):
    rate = clock_rate = 8000

    def __init__(self, settings: AudioSettings) -> None:
        super().__init__(settings)
        self._table = _compression(self.codec)

    def _encode(self, samples: NDArray[np.int16]) -> bytes:
        return self._table[samples.astype(np.int16, copy=False).view(np.uint16).ravel()].tobytes()


class _Decoder(WaveformDecoder):
    rate = clock_rate = 8000

    def __init__(self) -> None:
        super().__init__()
        self._table = _expansion(self.codec)

    def _count(self, data: bytes) -> int:
        return len(data)

    def _wave(self, data: bytes) -> NDArray[np.int16]:
        return self._table[np.frombuffer(data, np.uint8)]


class MuLawEncoder(_Encoder):
    """PCMU."""

    codec: ClassVar[str] = "pcmu"


class MuLawDecoder(_Decoder):
    """PCMU."""

    codec: ClassVar[str] = "pcmu"


class ALawEncoder(_Encoder):
    """PCMA."""

    codec: ClassVar[str] = "pcma"


class ALawDecoder(_Decoder):
    """PCMA."""

    codec: ClassVar[str] = "pcma"
