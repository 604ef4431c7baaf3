"""Node's timers: lists by duration, ordered by when their first one is due. No clock inside: `now` is an argument."""

from __future__ import annotations

import functools
import heapq
import itertools
import math
from collections.abc import Callable
from typing import Any

TIMEOUT_MAX_MS = 2**31 - 1


class Timeout:
    """What `set_timeout` and `set_interval` return."""

    def __init__(self, timers: Timers, callback: Callable[..., Any], args: tuple[Any, ...], is_repeated: bool) -> None:
        self.callback = callback
        self.args = args
        self.is_repeated = is_repeated
        self.duration_ms = 1
        self.started_ms = 0
        self._timers = timers
        self._is_over = False
        self._is_ref = True

    @property
    def is_over(self) -> bool:
        """Whether it will not run again."""
        return self._is_over

    def close(self) -> None:
        """It will not run (again)."""
        self._timers.clear(self)

    def unref(self) -> Timeout:
        """`run` need not wait for it."""
        if self._is_ref and not self._is_over:
            self._timers.refs -= 1
            self._timers.on_change()
        self._is_ref = False
        return self

    def ref(self) -> Timeout:
        """`run` waits for it, as it does unless told otherwise."""
        if not self._is_ref and not self._is_over:
            self._timers.refs += 1
        self._is_ref = True
        return self

    def has_ref(self) -> bool:
        """Whether `run` waits for it."""
        return self._is_ref

    def _finish(self) -> None:
        if not self._is_over:
            self._is_over = True
            if self._is_ref:
                self._timers.refs -= 1


class _List:
    """Timers of one duration, in the order in which they were started, which is that in which they are due."""

    __slots__ = ("due_ms", "duration_ms", "number", "timers")

    def __init__(self, duration_ms: int, due_ms: int, number: int) -> None:
        self.duration_ms = duration_ms
        self.due_ms = due_ms
        self.number = number  # among lists due at the same time, the older one goes first
        self.timers: dict[Timeout, None] = {}


class Timers:
    """All timers of one loop. Times are whole milliseconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self.refs = 0
        self.on_change: Callable[[], None] = lambda: None  # fewer are left than whoever waits may think
        self._lists: dict[int, _List] = {}
        self._queue: list[tuple[int, int, _List]] = []
        self._numbers = itertools.count()

    def start(
        self, callback: Callable[..., Any], args: tuple[Any, ...], delay_ms: float, now_ms: int, *, is_repeated: bool
    ) -> Timeout:
        """1 ms at least; what is no number, or more than 2**31-1, is 1 ms, too."""
        timer = Timeout(self, callback, args, is_repeated)
        timer.duration_ms = duration_of(delay_ms)
        self.refs += 1
        self._insert(timer, now_ms)
        return timer

    def clear(self, timer: Timeout) -> None:
        """It will not run (again)."""
        if timer.is_over:
            return
        timer.is_repeated = False
        found = self._lists.get(timer.duration_ms)
        if found is not None:
            found.timers.pop(timer, None)
            if not found.timers:  # the next one of this duration opens a list of its own
                del self._lists[timer.duration_ms]
        timer._finish()
        self.on_change()

    def next_due_ms(self) -> int | None:
        """When `run` has something to do; None: never."""
        found = self._first()
        return found.due_ms if found is not None else None

    def run(self, now_ms: int, call: Callable[[Callable[[], None]], None], clock: Callable[[], int]) -> None:
        """Run all that are due at `now_ms`. `call` calls one, and then whatever that has queued."""
        while (found := self._first()) is not None and found.due_ms <= now_ms:
            self._run_list(found, now_ms, call, clock)

    def _run_list(
        self, found: _List, now_ms: int, call: Callable[[Callable[[], None]], None], clock: Callable[[], int]
    ) -> None:
        while found.timers:
            timer = next(iter(found.timers))
            if now_ms - timer.started_ms < found.duration_ms:  # started later than the first one of the list
                self._put(found, max(timer.started_ms + found.duration_ms, now_ms + 1))
                return
            del found.timers[timer]
            call(functools.partial(self._fire, timer, clock))
        if self._lists.get(found.duration_ms) is found:
            del self._lists[found.duration_ms]

    def _fire(self, timer: Timeout, clock: Callable[[], int]) -> None:
        started_ms = clock() if timer.is_repeated else 0
        try:
            timer.callback(*timer.args)
        finally:
            if timer.is_repeated:
                self._insert(timer, started_ms)
            else:
                timer._finish()

    def _insert(self, timer: Timeout, now_ms: int) -> None:
        timer.started_ms = now_ms
        found = self._lists.get(timer.duration_ms)
        if found is None:
            found = self._lists[timer.duration_ms] = _List(timer.duration_ms, 0, 0)
            self._put(found, now_ms + timer.duration_ms)
        found.timers[timer] = None

    def _put(self, found: _List, due_ms: int) -> None:
        found.due_ms, found.number = due_ms, next(self._numbers)
        heapq.heappush(self._queue, (due_ms, found.number, found))

    def _first(self) -> _List | None:
        queue = self._queue
        while queue:
            _, number, found = queue[0]
            if self._lists.get(found.duration_ms) is found and found.number == number:
                return found
            heapq.heappop(queue)
        return None


def duration_of(delay_ms: Any) -> int:
    """As Node reads it."""
    try:
        delay = float(delay_ms)
    except (TypeError, ValueError):
        return 1
    if math.isnan(delay) or not 1 <= delay <= TIMEOUT_MAX_MS:
        return 1
    return int(delay)
