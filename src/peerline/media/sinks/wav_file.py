"""A WAV file of 16-bit samples. Its head is right at any time, so that it can be played whatever happens."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.chunker import Resampler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peerline.media.sinks.output_file import OutputFile

__all__ = ["WavFile"]

_HEAD_SIZE = 44
_MOST_BYTES = 0xFFFFFFFF
# Frames that are so far from where they should be get silence before them, or lose their beginning.
_TOLERANCE_S = 0.04
# As much silence at a time, so that a long pause does not take a lot of memory.
_PIECE = 48000


class WavFile:
    """Rate and channels are those of the first frame; the others follow them."""

    def __init__(self, output: OutputFile) -> None:
        self._output = output
        self._rate = 48000
        self._channels = 1
        self._count = 0
        self._resamplers: dict[int, Resampler] = {}
        self._head_at = 0

    def write(self, frame: AudioFrame, start_s: float) -> float:
        """The next sound; gives where it ends, in seconds."""
        if self._count == 0 and self._output.size == 0:
            self._rate, self._channels = frame.rate, min(frame.channels, 2)
            self._output.write(self._head())
        samples = self._fitting(frame.with_channels(self._channels))
        gap = round(start_s * self._rate) - self._count
        tolerance = int(_TOLERANCE_S * self._rate)
        if gap > tolerance:
            self._write_silence(gap)
        elif gap < -tolerance:
            samples = samples[-gap:]
        self._write(samples.tobytes(), len(samples))
        if self._count - self._head_at >= self._rate:
            self._head_at = self._count
            self._output.replace(0, self._head())
        return self._count / self._rate

    def close(self) -> None:
        """Write how long it is."""
        if self._output.size == 0:
            self._output.write(self._head())
        self._output.replace(0, self._head())

    def _fitting(self, frame: AudioFrame) -> NDArray[np.int16]:
        if frame.rate == self._rate:
            return frame.samples
        resampler = self._resamplers.get(frame.rate)
        if resampler is None:
            resampler = self._resamplers[frame.rate] = Resampler(frame.rate, self._rate, self._channels)
        return resampler.resample(frame.samples)

    def _write_silence(self, count: int) -> None:
        while count > 0 and self._output.error is None:
            piece = min(count, _PIECE)
            self._write(bytes(piece * 2 * self._channels), piece)
            count -= piece

    def _write(self, data: bytes, count: int) -> None:
        self._output.write(data)
        self._count += count

    def _head(self) -> bytes:
        """RIFF, with one chunk for the format (PCM) and one for the samples."""
        size = max(0, self._output.size - _HEAD_SIZE)
        frame_size = 2 * self._channels
        return struct.pack(
            "<4sI8sIHHIIHH4sI",
            b"RIFF",
            min(size + _HEAD_SIZE - 8, _MOST_BYTES),
            b"WAVEfmt ",
            16,
            1,
            self._channels,
            self._rate,
            self._rate * frame_size,
            frame_size,
            16,
            b"data",
            min(size, _MOST_BYTES),
        )
