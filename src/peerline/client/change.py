"""Waiting until something is so, and what comes one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, Self, TypeVar

T = TypeVar("T")

# So many changes wait for whoever follows and does not look.
_MAX_UNSEEN = 100

__all__ = ["Change", "State", "Stream"]


class Change:
    """Whoever changes something says `tell()`; whoever waits for it looks again."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Something is different."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, holds: Callable[[], T]) -> T:
        """Return what `holds` gives once that counts as true."""
        while not (found := holds()):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
        return found


class State(Generic[T]):
    """A value that changes, to be looked at, waited for, and followed; `last` is the one after which it does not."""

    def __init__(self, value: T, last: T) -> None:
        self.value = value
        self._last = last
        self._change = Change()
        self._following: list[Stream[T]] = []

    def turn(self, value: T) -> bool:
        """Whether it is another one now."""
        if value == self.value or self.value == self._last:
            return False
        self.value = value
        for stream in self._following:
            stream.put(value)
            if value == self._last:
                stream.end()
        self._change.tell()
        return True

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until this counts as true; it is asked after each change."""
        await self._change.until(holds)

    async def follow(self) -> AsyncIterator[T]:
        """The value of now, then each change, up to the last."""
        stream: Stream[T] = Stream(_MAX_UNSEEN)
        stream.put(self.value)
        if self.value == self._last:
            stream.end()
        self._following.append(stream)
        try:
            async for value in stream:
                yield value
        finally:
            self._following.remove(stream)


class Stream(Generic[T]):
    """`async for` over what comes, until it is over. Each item is given once; the oldest go when too many wait."""

    def __init__(self, limit: int, dropped: Callable[[T], object] = lambda _: None) -> None:
        self._limit = limit
        self._dropped = dropped
        self._items: deque[T] = deque()
        self._is_over = False
        self._change = Change()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        await self._change.until(lambda: self._items or self._is_over)
        if not self._items:
            raise StopAsyncIteration
        return self._items.popleft()

    def put(self, item: T) -> None:
        """One more. Nothing comes after the end."""
        if self._is_over:
            self._dropped(item)
            return
        self._items.append(item)
        if len(self._items) > self._limit:
            self._dropped(self._items.popleft())
        self._change.tell()

    def end(self) -> None:
        """What waits is still given, then the loop ends."""
        self._is_over = True
        self._change.tell()
