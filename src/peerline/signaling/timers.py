"""Deadlines in a heap, with the time as an argument, so that tests jump and never sleep."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Timer:
    """One deadline; `cancel()` makes it a no-op."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[float], None]) -> None:
        self.action: Callable[[float], None] | None = action

    def cancel(self) -> None:
        """Do nothing when the time comes."""
        self.action = None


class Timers:
    """All deadlines of one server. `on_earlier` is told when the next one moved forward."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self.on_earlier: Callable[[], None] | None = None

    def __len__(self) -> int:
        """Deadlines that are still to be met."""
        return sum(1 for _, _, timer in self._heap if timer.action is not None)

    def at(self, when: float, action: Callable[[float], None]) -> Timer:
        """Call `action(now)` once `when` (monotonic seconds) has come."""
        timer = Timer(action)
        entry = (when, next(self._order), timer)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry and self.on_earlier is not None:
            self.on_earlier()
        return timer

    def poll_timeout(self) -> float | None:
        """When `handle_timeout` is next due."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def handle_timeout(self, now: float) -> None:
        """Run everything that is due."""
        while self._heap and self._heap[0][0] <= now:
            action = heapq.heappop(self._heap)[2].action
            if action is not None:
                action(now)
