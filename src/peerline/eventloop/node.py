"""What people from Node look for: `process.nextTick`, `setTimeout`, `setImmediate` … in snake case, in Node's order.

They work in any running asyncio loop. Each raises LoopError if none runs, TypeError for what cannot be called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from peerline.eventloop.driver import driver
from peerline.eventloop.phases import Immediate
from peerline.eventloop.timers import Timeout
from peerline.jobs import call, jobs


def next_tick(callback: Callable[..., Any], *args: Any) -> None:
    """Run it as soon as what runs now is over, before all microtasks that have not begun."""
    jobs().next_tick(lambda: call(callback, *args, what="a next-tick"))


def set_timeout(callback: Callable[..., Any], delay_ms: float = 1, *args: Any) -> Timeout:
    """Run it in a timers phase, `delay_ms` milliseconds from now or later. At least 1."""
    return driver().start_timer(callback, args, delay_ms, False)


def set_interval(callback: Callable[..., Any], delay_ms: float = 1, *args: Any) -> Timeout:
    """Run it every `delay_ms` milliseconds, at least 1, until cleared."""
    return driver().start_timer(callback, args, delay_ms, True)


def set_immediate(callback: Callable[..., Any], *args: Any) -> Immediate:
    """Run it in the next check phase: after the poll."""
    return driver().add_immediate(callback, args)


def clear_timeout(timeout: Timeout | None) -> None:
    """It will not run (again). None, or one that has run, is nothing to clear."""
    if timeout is not None:
        timeout.close()


clear_interval = clear_timeout


def clear_immediate(immediate: Immediate | None) -> None:
    """It will not run."""
    if immediate is not None:
        driver().phases.clear_immediate(immediate)


def queue_pending(callback: Callable[..., Any], *args: Any) -> None:
    """Run it in the next pending phase: for what polling found and cannot be said in the middle of it."""
    driver().add_pending(functools.partial(callback, *args))


def on_close(callback: Callable[..., Any], *args: Any) -> None:
    """Run it in the next close phase: for saying that something is closed, after all that it still had to say."""
    driver().add_closing(functools.partial(callback, *args))


def from_io(callback: Callable[..., Any]) -> Callable[..., None]:
    """Wrap what asyncio is to call when a socket is ready (`add_reader` …): it runs in the poll phase of this turn."""

    @functools.wraps(callback)
    def arrived(*args: Any) -> None:
        driver().add_polled(functools.partial(callback, *args))

    return arrived
