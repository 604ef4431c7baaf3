"""G.722: 16 kHz in 64 kbit/s. Its RTP clock says 8000, by an old mistake (RFC 3551, section 4.5.2)."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from peerline.errors import EncodingError
from peerline.media.codecs.audio_decoder import WaveformDecoder
from peerline.media.codecs.audio_encoder import BaseAudioEncoder
from peerline.media.codecs.settings import AudioSettings

__all__ = ["G722Decoder", "G722Encoder"]


def _context(mode: str) -> av.AudioCodecContext:
    context = av.CodecContext.create("g722", mode)  # type: ignore[call-overload]  # its stubs list other names only
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout = 16000, "mono"
    return context


class G722Encoder(BaseAudioEncoder):
    """Two samples in a byte."""

    codec = "g722"
    rate = 16000
    clock_rate = 8000

    def __init__(self, settings: AudioSettings) -> None:
        super().__init__(settings)
        self._context = _context("w")
        self._context.format = "s16"
        self._context.options = {"frame_size": str(self._count)}
        self._context.open()

    def _encode(self, samples: NDArray[np.int16]) -> bytes:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self.rate
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


class G722Decoder(WaveformDecoder):
    """Any bytes are sound in G.722."""

    codec = "g722"
    rate = 16000
    clock_rate = 8000

    def __init__(self) -> None:
        super().__init__()
        self._context = _context("r")

    def _count(self, data: bytes) -> int:
        return 2 * len(data)

    def _wave(self, data: bytes) -> NDArray[np.int16]:
        try:
            frames = self._context.decode(av.Packet(data))
        except av.FFmpegError as error:
            raise EncodingError(f"a frame of g722 cannot be decoded: {error}") from error
        return np.concatenate([frame.to_ndarray().ravel().astype(np.int16) for frame in frames])
