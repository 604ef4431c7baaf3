"""The microtasks of one event loop, Node's next-ticks before them, and when they run (HTML, 8.1.7.3)."""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from peerline.errors import LoopError
from peerline.jobs.fork import Birthplace

Entry = tuple[Callable[..., Any], tuple[Any, ...], contextvars.Context]


class Jobs:
    """Queues of one loop. A checkpoint empties them as soon as no callback of the program is running.

    Inside an asyncio task the program is always running: what it queues runs when the loop comes round again, and in
    any case before the next task of `queue_task`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._ticks: deque[Entry] = deque()
        self._microtasks: deque[Entry] = deque()
        self._depth = 0  # callbacks of the program on the stack
        self._is_draining = False
        self._will_drain = False
        self._birthplace = Birthplace()
        self.driver: Any = None  # of Node's phases, if somebody asked for them
        self.held: set[object] = set()  # coroutines that run: asyncio itself keeps weak references only

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop. It lives as long as somebody runs it."""
        loop = self._loop()
        if loop is None:
            raise LoopError("the event loop of this object is gone")
        return loop

    @property
    def is_here(self) -> bool:
        """Whether this is still the process that the loop was made in."""
        return self._birthplace.is_here

    def check(self) -> None:
        """Raise LoopError in a forked child."""
        self._birthplace.check("this event loop")

    def queue_microtask(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> None:
        """Run it at the next checkpoint, after those queued before."""
        self._microtasks.append((callback, args, context or contextvars.copy_context()))
        self._promise_to_drain()

    def next_tick(self, callback: Callable[..., Any], *args: Any) -> None:
        """Run it at the next checkpoint, before all microtasks that have not begun to run."""
        self._ticks.append((callback, args, contextvars.copy_context()))
        self._promise_to_drain()

    def enter(self) -> None:
        """A callback of the program begins."""
        self._depth += 1

    def leave(self) -> None:
        """It is over; after the outermost one comes a checkpoint."""
        self._depth -= 1
        if self._ticks or self._microtasks:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Run all next-ticks, then all microtasks, and again until there are none; unless something is running."""
        if self._depth or self._is_draining or not (self._ticks or self._microtasks):
            return
        if asyncio.current_task(self.loop) is not None:
            self._drain_soon()
            return
        ticks, microtasks = self._ticks, self._microtasks
        self._is_draining = True
        try:
            while ticks or microtasks:
                while ticks:
                    callback, args, context = ticks.popleft()
                    context.run(callback, *args)
                while microtasks:
                    callback, args, context = microtasks.popleft()
                    context.run(callback, *args)
        finally:
            self._is_draining = False
            if ticks or microtasks:  # somebody pressed Ctrl-C, or raised SystemExit
                self._drain_soon()

    def _promise_to_drain(self) -> None:
        if not self._depth and not self._is_draining:
            self._drain_soon()

    def _drain_soon(self) -> None:
        if not self._will_drain:
            self._will_drain = True
            self.loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._will_drain = False
        self.checkpoint()


_of_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Jobs] = weakref.WeakKeyDictionary()
# The one that was asked for last: the next question is nearly always the same.
_last: Jobs | None = None


def running_jobs() -> Jobs | None:
    """Those of the loop that runs in this thread, if one does."""
    global _last
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    last = _last
    if last is None or last._loop() is not loop:
        _last = last = jobs_of(loop)
    return last


def jobs() -> Jobs:
    """Those of the running loop. Raises LoopError without one, and in a forked child that still runs its parent's."""
    found = running_jobs()
    if found is None:
        raise LoopError(
            "no event loop runs in this thread", hint="Call this inside asyncio.run(…) or eventloop.run(…)."
        )
    found.check()
    return found


def jobs_of(loop: asyncio.AbstractEventLoop) -> Jobs:
    """Those of this loop; made when first asked for."""
    found = _of_loop.get(loop)
    if found is None:
        for other in [other for other in _of_loop if other.is_closed()]:
            del _of_loop[other]
        found = _of_loop[loop] = Jobs(loop)
    return found
