"""Turns Node's phases inside an asyncio loop, beside whatever else it does: the loop's own select is the poll phase."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from typing import Any

from peerline.eventloop.phases import Immediate, Phases, Thunk
from peerline.eventloop.timers import Timeout
from peerline.jobs import Jobs, call, jobs


def monotonic_ms() -> int:
    """Whole milliseconds that only go forward."""
    return time.monotonic_ns() // 1_000_000


class Driver:
    """The phases of one loop. It costs nothing while they are empty."""

    def __init__(self, of: Jobs, clock: Callable[[], int] = monotonic_ms) -> None:
        self._jobs = of
        self.clock = clock  # tests put their own in its place
        self.phases = Phases(self._call, lambda: self.clock())
        self.phases.timers.on_change = self.plan
        self._wake: asyncio.Handle | None = None
        self._wake_ms: int | None = None  # when the loop is to come back; None: as soon as it has polled
        self._is_turning = False
        self._on_empty: list[Callable[[], None]] = []

    def start_timer(self, callback: Callable[..., Any], args: tuple[Any, ...], delay_ms: Any, again: bool) -> Timeout:
        """See `set_timeout`."""
        timer = self.phases.start_timer(_kept(callback), args, delay_ms, is_repeated=again)
        self.plan()
        return timer

    def add_immediate(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> Immediate:
        """See `set_immediate`."""
        immediate = self.phases.add_immediate(_kept(callback), args)
        self.plan()
        return immediate

    def add_pending(self, callback: Thunk) -> None:
        """See `queue_pending`."""
        self.phases.add_pending(_kept(callback))
        self.plan()

    def add_polled(self, callback: Thunk) -> None:
        """See `from_io`."""
        self.phases.add_polled(callback)
        self.plan()

    def add_closing(self, callback: Thunk) -> None:
        """See `on_close`."""
        self.phases.add_closing(_kept(callback))
        self.plan()

    def first_turn(self) -> None:
        """After the main script: timers that are due come before anything is polled."""
        self._is_turning = True
        try:
            self.phases.before_poll()
        finally:
            self._is_turning = False
            self.plan()

    def when_empty(self, callback: Callable[[], None]) -> None:
        """Call it after a turn, or now, once nothing is left that keeps the loop alive."""
        if self.phases.is_alive or self._is_turning:
            self._on_empty.append(callback)
        else:
            callback()

    def plan(self) -> None:
        """See to it that the loop comes back when there is something to do."""
        if self._is_turning:
            return  # planned when the turn is over
        loop, phases = self._jobs.loop, self.phases
        if phases.must_not_sleep:
            if self._wake is None or self._wake_ms is not None:
                self._forget_wake()
                self._wake = loop.call_soon(self._poll, context=contextvars.Context())
            return
        due_ms = phases.timers.next_due_ms()
        if due_ms is None:
            if self._wake_ms is not None:
                self._forget_wake()
        elif self._wake is None or (self._wake_ms is not None and self._wake_ms != due_ms):
            self._forget_wake()
            self._wake_ms = due_ms
            delay_s = max(0, due_ms - self.clock()) / 1000
            self._wake = loop.call_later(delay_s, self._turn, context=contextvars.Context())
        if self._on_empty and not phases.is_alive:
            loop.call_soon(self._tell_empty)  # what runs now may still start something

    def _poll(self) -> None:
        # Between the halves of a turn the loop has to poll once: asyncio puts what its select found behind us, uvloop
        # polls after us. So go behind what was found.
        self._wake = self._jobs.loop.call_soon(self._turn, context=contextvars.Context())

    def _turn(self) -> None:
        self._wake = self._wake_ms = None
        self._jobs.checkpoint()
        self._is_turning = True
        try:
            self.phases.after_poll()
            self.phases.before_poll()
        finally:
            self._is_turning = False
            self.plan()

    def _tell_empty(self) -> None:
        if self._on_empty and not self.phases.is_alive:
            told, self._on_empty = self._on_empty, []
            for callback in told:
                callback()

    def _forget_wake(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self._wake_ms = None

    @staticmethod
    def _call(callback: Thunk) -> None:
        call(callback, what="a callback of the event loop")


def _kept(callback: Callable[..., Any]) -> Callable[..., Any]:
    """The callback in the context in which it was given, as asyncio's are; a coroutine it returns is started."""
    if not callable(callback):
        raise TypeError(f"a callback is needed, not {callback!r}")
    context = contextvars.copy_context()
    return lambda *args: context.run(_call_in_context, callback, args)


def _call_in_context(callback: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return call(callback, *args, what=f"the callback {getattr(callback, '__qualname__', callback)}")


def driver() -> Driver:
    """That of the running loop; made when first asked for. Raises LoopError if no loop runs."""
    found = jobs()
    if found.driver is None:
        found.driver = Driver(found)
    known: Driver = found.driver
    return known
