"""What tests do with tracks: take some frames, and see that no thread is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from peerline.media import MediaStreamTrack


async def take(track: MediaStreamTrack, count: int) -> list[Any]:
    """So many of its frames, or all that there are."""
    taken: list[Any] = []
    async with asyncio.timeout(20), track.frames() as frames:
        async for frame in frames:
            taken.append(frame)
            if len(taken) == count:
                break
    return taken


def threads() -> list[str]:
    """Of sources; those of the pool for codecs stay."""
    ours = [thread.name for thread in threading.enumerate() if thread.name.startswith("peerline-")]
    return [name for name in ours if not name.startswith("peerline-media")]


async def until(is_true: Callable[[], object], timeout_s: float = 5.0) -> None:
    """Wait for what threads do, who tell nobody."""
    async with asyncio.timeout(timeout_s):
        while not is_true():  # noqa: ASYNC110  # threads tell nobody
            await asyncio.sleep(0.01)


async def threads_are_gone() -> None:
    await until(lambda: not threads())
