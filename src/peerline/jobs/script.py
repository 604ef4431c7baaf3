"""Calls the program's callbacks: errors are reported, coroutines started, a checkpoint follows (Web IDL, 3.11)."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any

from peerline.jobs.queue import running_jobs

log = logging.getLogger("peerline.jobs")


def call(callback: Callable[..., Any], *args: Any, what: str = "a callback") -> Any:
    """Call it; give what it returns, None if it raised. `what` names it where its error is reported.

    A coroutine is started at once, runs up to its first suspension, and goes on by itself.
    """
    jobs = running_jobs()
    if jobs is not None:
        jobs.enter()
    try:
        answer = callback(*args)
        if inspect.iscoroutine(answer):
            answer = start(answer, what)
        return answer
    except Exception as error:
        report(error, what)
        return None
    finally:
        if jobs is not None:
            jobs.leave()


def start(coroutine: Any, what: str) -> Any:
    """Start a coroutine that a callback has given. Raises RuntimeError if no loop runs."""
    from peerline.jobs.promise import promise  # promises report their errors through this file

    if running_jobs() is None:
        coroutine.close()
        raise RuntimeError("no event loop runs in this thread: a coroutine function cannot be a handler here")
    return promise(coroutine, what=what)


def report(error: BaseException, what: str) -> None:
    """Nobody will catch it: the loop's exception handler gets it; without a loop it is logged."""
    message = f"{what} raised {type(error).__name__}"
    jobs = running_jobs()
    if jobs is not None:
        jobs.loop.call_exception_handler({"message": message, "exception": error})
    else:
        log.error("%s", message, exc_info=error)
