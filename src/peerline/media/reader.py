"""Reading a track in a loop: `async for frame in track.frames()`."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from peerline.media.encoded_frame import EncodedFrame

if TYPE_CHECKING:
    from types import TracebackType

    from peerline.media.sink import Frame
    from peerline.media.track import MediaStreamTrack

__all__ = ["FrameReader"]

FrameT = TypeVar("FrameT")

# About two seconds of sound or pictures. Who reads too slowly gets the newer ones.
MAX_FRAMES = {"audio": 100, "video": 60}


class FrameReader(Generic[FrameT]):
    """An async iterator of the frames of a track, from when it was made until the track ends or `close` is called.

    At most about two seconds wait to be read: older frames are dropped, and `dropped` counts them. Of encoded
    pictures those up to the next key frame go with them, as they could not be decoded.
    """

    def __init__(self, track: MediaStreamTrack, *, is_encoded: bool, max_frames: int | None = None) -> None:
        self.dropped = 0
        self._track = track
        self._is_encoded = is_encoded
        self._max_frames = max_frames or MAX_FRAMES[track.kind]
        self._frames: deque[FrameT] = deque()
        self._lock = threading.Lock()
        self._waiting: asyncio.Future[None] | None = None
        self._is_closed = False
        self._needs_key = False
        track.attach_sink(self)

    # As a sink ----------------------------------------------------------------------------------------

    def takes(self, codec: str) -> bool:
        """See Sink."""
        return self._is_encoded

    def receive(self, frame: Frame) -> None:
        """See Sink."""
        if isinstance(frame, EncodedFrame) is self._is_encoded:
            self._put(cast("FrameT", frame))

    def end(self) -> None:
        """The track has ended: what waits can still be read."""
        self._is_closed = True
        self._wake()

    # As an iterator -----------------------------------------------------------------------------------

    def __aiter__(self) -> FrameReader[FrameT]:
        return self

    async def __anext__(self) -> FrameT:
        while True:
            with self._lock:
                if self._frames:
                    return self._frames.popleft()
                if self._is_closed:
                    raise StopAsyncIteration
                self._waiting = asyncio.get_running_loop().create_future()
                waiting = self._waiting
            try:
                await waiting
            finally:
                self._waiting = None

    def close(self) -> None:
        """Read no more. Twice is fine."""
        self._track.detach_sink(self)
        self.end()

    async def __aenter__(self) -> FrameReader[FrameT]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Inside -------------------------------------------------------------------------------------------

    def _put(self, frame: FrameT) -> None:
        with self._lock:
            if isinstance(frame, EncodedFrame) and self._needs_key:
                if not frame.is_key:
                    self.dropped += 1
                    self._track.request_key_frame()
                    return
                self._needs_key = False
            self._frames.append(frame)
            if len(self._frames) > self._max_frames:
                self._drop_oldest()
        self._wake()

    def _drop_oldest(self) -> None:
        self._frames.popleft()
        self.dropped += 1
        if not self._is_encoded or self._track.kind == "audio":
            return
        while self._frames and not cast("EncodedFrame", self._frames[0]).is_key:
            self._frames.popleft()
            self.dropped += 1
        self._needs_key = not self._frames

    def _wake(self) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        loop = waiting.get_loop()

        def wake() -> None:
            if not waiting.done():
                waiting.set_result(None)

        try:
            is_here = asyncio.get_running_loop() is loop
        except RuntimeError:
            is_here = False
        if is_here:
            wake()
        else:
            loop.call_soon_threadsafe(wake)
