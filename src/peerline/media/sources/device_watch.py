"""Looks from time to time whether devices have come or gone, while somebody listens for that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["DeviceWatch"]

PERIOD_S = 2.0


class DeviceWatch:
    """`state()` is compared with what it was; `changed()` is called in the event loop if it is another."""

    def __init__(self, state: Callable[[], object], changed: Callable[[], None]) -> None:
        self._state = state
        self._changed = changed
        self._known: object = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Look, in the running loop; nothing happens where none runs, or if it looks there already."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._loop is not loop:
            self.end()
            self._loop, self._known = loop, self._state()
            self._plan()

    def end(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
        self._loop = self._next = None

    def look(self) -> None:
        """Now, if it looks at all."""
        if self._loop is not None:
            state = self._state()
            if state != self._known:
                self._known = state
                self._changed()

    def _plan(self) -> None:
        assert self._loop is not None
        self._next = self._loop.call_later(PERIOD_S, self._look_again)

    def _look_again(self) -> None:
        self._plan()
        self.look()
