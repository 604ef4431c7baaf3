"""Waiting for what no locator can see: ask until the answer is good, or say what it was last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_EVERY_S = 0.1


async def until(
    what: str,
    ask: Callable[[], Awaitable[T]],
    is_good: Callable[[T], bool] = bool,
    within_s: float = 10.0,
) -> T:
    """Ask again and again until the answer is good; return that answer. `what` completes "waited in vain: …"."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not is_good(answer := await ask()):
        if loop.time() > deadline:
            raise AssertionError(f"waited {within_s:g} s in vain: {what}; the last answer was {answer!r}")
        await asyncio.sleep(_EVERY_S)
    return answer
