"""The phases of one turn of Node's loop (libuv's `uv_run`), without a clock and without sockets.

A turn: timers → pending → idle, prepare → poll → check → close. Poll is where a loop sleeps until a socket or a timer
has something for it: here it belongs to asyncio, so a turn has two halves, one on each side of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from peerline.eventloop.timers import Timeout, Timers

Thunk = Callable[[], None]


class Immediate:
    """What `set_immediate` returns."""

    __slots__ = ("args", "callback", "is_over")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.callback = callback
        self.args = args
        self.is_over = False

    def fire(self) -> None:
        """Run it."""
        self.callback(*self.args)


class Phases:
    """What waits for each phase. `call` calls one callback, and then the next-ticks and microtasks that it left."""

    def __init__(self, call: Callable[[Thunk], None], clock: Callable[[], int]) -> None:
        self._call = call
        self._clock = clock  # whole milliseconds
        self.timers = Timers()
        self._pending: deque[Thunk] = deque()
        self._polled: deque[Thunk] = deque()
        self._immediates: deque[Immediate] = deque()
        self._closing: deque[Thunk] = deque()
        self._immediates_alive = 0

    @property
    def is_alive(self) -> bool:
        """Whether somebody would miss the loop."""
        return bool(self.timers.refs or self.must_not_sleep)

    @property
    def must_not_sleep(self) -> bool:
        """Whether a phase other than timers has work."""
        return bool(self._pending or self._polled or self._immediates_alive or self._closing)

    def start_timer(
        self, callback: Callable[..., Any], args: tuple[Any, ...], delay_ms: Any, *, is_repeated: bool
    ) -> Timeout:
        """See `Timers.start`."""
        return self.timers.start(callback, args, delay_ms, self._clock(), is_repeated=is_repeated)

    def add_immediate(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> Immediate:
        """For the next check phase."""
        immediate = Immediate(callback, args)
        self._immediates.append(immediate)
        self._immediates_alive += 1
        return immediate

    def clear_immediate(self, immediate: Immediate) -> None:
        """It will not run."""
        if not immediate.is_over:
            immediate.is_over = True
            self._immediates_alive -= 1

    def add_pending(self, callback: Thunk) -> None:
        """For the next pending phase."""
        self._pending.append(callback)

    def add_polled(self, callback: Thunk) -> None:
        """Something arrived: for the poll phase that is going on."""
        self._polled.append(callback)

    def add_closing(self, callback: Thunk) -> None:
        """For the next close phase."""
        self._closing.append(callback)

    def before_poll(self) -> None:
        """Timers, pending. (Idle and prepare hold nothing of a program's, in Node neither.)"""
        self.timers.run(self._clock(), self._call, self._clock)
        self._run_pending()

    def after_poll(self) -> None:
        """What polling found and what it left pending, check, close."""
        polled, self._polled = self._polled, deque()
        for callback in polled:
            self._call(callback)
        self._run_pending()
        immediates, self._immediates = self._immediates, deque()
        for immediate in immediates:
            if not immediate.is_over:
                self.clear_immediate(immediate)
                self._call(immediate.fire)
        closing, self._closing = self._closing, deque()
        for callback in reversed(closing):  # libuv keeps a stack of what is closing
            self._call(callback)

    def _run_pending(self) -> None:
        pending, self._pending = self._pending, deque()
        for callback in pending:
            self._call(callback)
