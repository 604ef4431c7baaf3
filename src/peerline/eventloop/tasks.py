"""Tasks and microtasks of a browser (HTML, section 8.1.7)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from peerline.jobs import Jobs, call, jobs, promise, report


def queue_task(source: str, steps: Callable[..., Any], *args: Any) -> None:
    """Run `steps` in a turn of the loop of its own, after the tasks queued before; then comes a checkpoint.

    `source` says where it comes from ("networking", "data channel"), for reports. The steps are the implementation's,
    not the program's: each listener of an event that they fire is followed by a checkpoint. From another thread use
    `loop.call_soon_threadsafe(queue_task, …)`. Raises LoopError if no loop runs.
    """
    found = jobs()
    found.loop.call_soon(_run, found, source, steps, args)


def queue_microtask(callback: Callable[..., Any], *args: Any) -> None:
    """Run `callback` as soon as what runs now is over, after the microtasks queued before.

    Raises LoopError if no loop runs.
    """
    jobs().queue_microtask(lambda: call(callback, *args, what="a microtask"))


def _run(found: Jobs, source: str, steps: Callable[..., Any], args: tuple[Any, ...]) -> None:
    found.checkpoint()  # what asyncio's own callbacks have queued comes first
    try:
        answer = steps(*args)
        if inspect.iscoroutine(answer):
            promise(answer, what=f"a task of {source!r}")
    except Exception as error:
        report(error, f"a task of {source!r}")
    finally:
        found.checkpoint()
