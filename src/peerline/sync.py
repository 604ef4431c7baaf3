"""For programs without a loop of their own: notebooks, threads, scripts that wait.

with Runner() as run:
    me = run(peerline.connect("http://localhost:8080", name="Bot"))
    for samples in run.each(peer.audio.receive(rate=16000)):
        ...
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from typing import Any, Self, TypeVar

from peerline.errors import InvalidStateError

__all__ = ["Runner"]

T = TypeVar("T")


class Runner:
    """An event loop on a thread. Objects of Peerline that are made in it are to be used through it: `run.call(...)`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="peerline-loop", daemon=True)
        self._thread.start()
        self._is_closed = False

    def __call__(self, work: Awaitable[T]) -> T:
        """Wait for it; its result, or its error. Ctrl-C cancels it."""
        return self._wait(work)

    def call(self, function: Callable[..., T], /, *arguments: Any, **members: Any) -> T:
        """Call a function on the loop's thread, for example `run.call(peer.audio.output)`."""

        self._check()

        async def there() -> T:
            return function(*arguments, **members)

        return self._wait(there())

    def each(self, items: AsyncIterable[T]) -> Iterator[T]:
        """A plain iterator over an async one."""
        iterator = aiter(items)
        while True:
            try:
                yield self._wait(anext(iterator))
            except StopAsyncIteration:
                return

    def close(self) -> None:
        """Cancel what runs, and end the thread. Twice is fine."""
        if self._is_closed:
            return
        self._is_closed = True
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _check(self) -> None:
        if self._is_closed:
            raise InvalidStateError("this runner is closed")
        if threading.current_thread() is self._thread:
            raise InvalidStateError("the loop's own thread cannot wait for itself", hint="Use await there.")

    def _wait(self, work: Awaitable[T]) -> T:
        self._check()

        async def whole() -> T:
            return await work

        future = asyncio.run_coroutine_threadsafe(whole(), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
