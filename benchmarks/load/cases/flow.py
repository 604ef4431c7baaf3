"""Frames given in time to a track of either implementation, and those that come taken from it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import aiortc
from aiortc.mediastreams import MediaStreamError

from peerline.media import MediaStreamTrack, Source

__all__ = ["Given", "given", "take"]

_tasks: set[asyncio.Future[None]] = set()


class Given:
    """A track that gets a frame `rate` times a second: `make(index)` says which."""

    track: Any

    def __init__(self, rate: float, make: Callable[[int], Any]) -> None:
        self.times: list[float] = []
        """When each frame was given, on the monotonic clock that all processes share."""
        self._rate = rate
        self._make = make
        self._begin = 0.0

    def begin(self) -> None:
        """Give frames from now on. One implementation asks for them itself, once it is connected."""

    async def next(self) -> Any:
        """The next frame, when it is time for it."""
        self._begin = self._begin or time.monotonic()
        await asyncio.sleep(max(0.0, self._begin + len(self.times) / self._rate - time.monotonic()))
        frame = self._make(len(self.times))
        self.times.append(time.monotonic())
        return frame


class _Pushed(Given):
    def __init__(self, kind: str, rate: float, make: Callable[[int], Any]) -> None:
        super().__init__(rate, make)
        self._source = Source("given")
        self.track = MediaStreamTrack(kind, source=self._source)

    def begin(self) -> None:
        _keep(self._push())

    async def _push(self) -> None:
        while self.track.readyState == "live":
            self._source.deliver(await self.next())


class _Pulled(Given):
    def __init__(self, kind: str, rate: float, make: Callable[[int], Any]) -> None:
        super().__init__(rate, make)
        self.track = _PulledTrack(kind, self.next)


class _PulledTrack(aiortc.MediaStreamTrack):
    def __init__(self, kind: str, following: Callable[[], Any]) -> None:
        self.kind = kind
        super().__init__()
        self._following = following

    async def recv(self) -> Any:
        return await self._following()


def given(implementation: str, kind: str, rate: float, make: Callable[[int], Any]) -> Given:
    """See Given."""
    return (_Pulled if implementation == "aiortc" else _Pushed)(kind, rate, make)


def take(pc: Any, see: Callable[[Any], None]) -> None:
    """`see` every frame that comes on it, decoded, in the loop in which it would be read."""

    async def pull(track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                see(await track.recv())

    async def read(track: Any) -> None:
        async for frame in track.frames():
            see(frame)

    if isinstance(pc, aiortc.RTCPeerConnection):
        pc.on("track", lambda track: _keep(pull(track)))
    else:
        pc.ontrack = lambda event: _keep(read(event.track))


def _keep(running: Any) -> None:
    task = asyncio.ensure_future(running)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
