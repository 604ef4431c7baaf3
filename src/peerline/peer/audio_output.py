"""Speaking: samples of any length go out in their own time, and can be taken back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from peerline.errors import InvalidStateError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.libraries import media_extra
from peerline.media.source import Source
from peerline.media.track import MediaStreamTrack

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AudioOutput"]

RATE = 48_000
FRAME_MS = 20
_FRAME = RATE * FRAME_MS // 1000
# After so much silence nothing is sent until there is something to say again.
_TAIL_FRAMES = 10


class AudioOutput:
    """Made by `peer.audio.output()`. Needs a running loop. `track` is what is sent."""

    def __init__(self, *, buffer_ms: float = 200) -> None:
        with media_extra():
            import numpy as np
        self._np = np
        self._source = Source("program")
        self.track = MediaStreamTrack("audio", source=self._source)
        self._buffer_samples = int(buffer_ms * RATE / 1000)
        self._queue: NDArray[Any] = np.zeros(0, np.int16)
        self._resampler: Any = None
        self._rate = 0
        self._room = asyncio.Event()
        self._timer: asyncio.Handle | None = None
        self._origin = 0.0
        self._next = 0
        self._quiet = 0
        self._is_closed = False

    async def write(self, samples: Any, rate: int = RATE) -> None:
        """Say these: int16, or floats from -1 to 1, of shape (count,) or (count, channels); the channels are mixed.

        Returns when all but the last `buffer_ms` are said. Raises InvalidStateError after `close`, TypeError for
        what is no sound.
        """
        if self._is_closed:
            raise InvalidStateError("this output is closed")
        piece = self._converted(samples, rate)
        self._queue = self._np.concatenate((self._queue, piece))
        self._begin()
        while len(self._queue) > self._buffer_samples and not self._is_closed:
            self._room.clear()
            await self._room.wait()

    def clear(self) -> int:
        """Say no more of what was written (the other side has begun to speak); returns the ms that are left unsaid."""
        left_ms = self.queued_ms
        self._queue = self._queue[:0]
        self._resampler = None
        self._room.set()
        return left_ms

    @property
    def queued_ms(self) -> int:
        """What waits to be said."""
        return len(self._queue) * 1000 // RATE

    async def drained(self) -> None:
        """Wait until all is said."""
        while len(self._queue) > 0 and not self._is_closed:
            self._room.clear()
            await self._room.wait()

    def close(self) -> None:
        """Say no more, and end the track. Twice is fine."""
        self._is_closed = True
        self.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.track.stop()

    def _converted(self, samples: Any, rate: int) -> NDArray[Any]:
        from peerline.media.codecs.chunker import Resampler

        np = self._np
        array = np.asarray(samples)
        if array.dtype.kind == "f":
            array = (np.clip(array, -1.0, 1.0) * 32767).round().astype(np.int16)
        elif array.dtype != np.int16:
            raise TypeError(f"sound is int16 or floats from -1 to 1, not {array.dtype}")
        if array.ndim == 1:
            array = array.reshape(-1, 1)
        mono = AudioFrame(array, rate).to_mono().samples
        if rate == RATE:
            self._resampler = None
        elif self._resampler is None or rate != self._rate:
            self._resampler = Resampler(rate, RATE, 1)
        self._rate = rate
        return (mono if self._resampler is None else self._resampler.resample(mono))[:, 0]

    def _begin(self) -> None:
        if self._timer is None and len(self._queue):
            now = time.perf_counter()
            # The pause since the last frame is a pause in the timestamps, too.
            self._next = max(self._next, int((now - self._origin) * 1000 / FRAME_MS)) if self._origin else 0
            self._origin = self._origin or now
            self._quiet = 0
            self._timer = asyncio.get_running_loop().call_soon(self._tick)

    def _tick(self) -> None:
        np = self._np
        piece, self._queue = self._queue[:_FRAME], self._queue[_FRAME:]
        self._quiet = 0 if len(piece) else self._quiet + 1
        if len(piece) < _FRAME:
            piece = np.concatenate((piece, np.zeros(_FRAME - len(piece), np.int16)))
        self._source.deliver(AudioFrame(piece.reshape(-1, 1), RATE, self._next * _FRAME))
        self._next += 1
        self._room.set()
        if self._quiet >= _TAIL_FRAMES or self._is_closed:
            self._timer = None
            return
        due = self._origin + self._next * FRAME_MS / 1000
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, due - time.perf_counter()), self._tick)
