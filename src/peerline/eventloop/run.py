"""Runs a program in a loop of its own, as `node main.js` does."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from peerline.eventloop.driver import driver
from peerline.jobs import jobs, promise


def run(main: Callable[[], Any], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> Any:
    """Run `main()`, a plain or a coroutine function, until it and all timers and immediates are done; give its result.

    The order is Node's: the whole script, next-ticks, microtasks, then turn after turn. What `main` raises is raised
    here at once; errors of other callbacks are reported, and the loop goes on. The loop is uvloop's, asyncio's on
    Windows, or what `loop_factory` makes (`asyncio.new_event_loop`).
    """
    with asyncio.Runner(loop_factory=loop_factory or _new_loop) as runner:
        return runner.run(_whole(main))


async def _whole(main: Callable[[], Any]) -> Any:
    # This task only waits: inside a task no microtask would run before the loop comes round again.
    loop = asyncio.get_running_loop()
    over: asyncio.Future[Any] = loop.create_future()
    loop.call_soon(_script, main, over)
    return await over


def _script(main: Callable[[], Any], over: asyncio.Future[Any]) -> None:
    found, turns = jobs(), driver()

    def finish(result: Any, error: BaseException | None) -> None:
        if over.done():
            return
        if error is not None:
            over.set_exception(error)
        else:
            turns.when_empty(functools.partial(over.set_result, result))

    found.enter()
    try:
        answer = main()
        if inspect.iscoroutine(answer):
            answer = promise(answer, "main")
        if inspect.isawaitable(answer):
            running = answer if hasattr(answer, "upon") else promise(_await(answer), "main")
            running.upon(finish)
        else:
            # Not before the turn that follows: what the script has queued may start timers.
            found.loop.call_soon(finish, answer, None)
    except Exception as error:
        finish(None, error)
    finally:
        found.leave()
    turns.first_turn()


async def _await(awaitable: Any) -> Any:
    return await awaitable


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()
