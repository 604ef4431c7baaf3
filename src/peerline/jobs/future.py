"""A future as asyncio's, whose callbacks are microtasks: who awaits it goes on before the next task of the loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Generator
from typing import Any

from peerline.jobs.queue import Jobs
from peerline.jobs.script import report

Callback = Callable[[Any], object]


class JobFuture:
    """What asyncio's tasks know how to wait for (its future protocol), as far as a task asks."""

    _asyncio_future_blocking = False

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self._loop = jobs.loop
        self._callbacks: list[tuple[Callback, contextvars.Context] | Waiter] = []
        self._is_done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self.what: str | None = None  # names it where an error that nobody asked for is reported; None: nowhere
        self.is_handled = False

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop it belongs to."""
        return self._loop

    def done(self) -> bool:
        """Whether it has a result or an error."""
        return self._is_done

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return isinstance(self._error, asyncio.CancelledError)

    def result(self) -> Any:
        """The result; raises the error. Raises asyncio's InvalidStateError before either is there."""
        self._ask()
        if self._error is not None:
            raise self._error
        return self._result

    def exception(self) -> BaseException | None:
        """The error, if that is how it ended."""
        self._ask()
        if self.cancelled():
            raise self._error or asyncio.CancelledError
        return self._error

    def cancel(self, msg: Any = None) -> bool:
        """End it with CancelledError, unless it has ended."""
        if self._is_done:
            return False
        self.settle(None, asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg))
        return True

    def settle(self, result: Any, error: BaseException | None = None) -> None:
        """End it; the callbacks become microtasks."""
        if self._is_done:
            return
        self._is_done, self._result, self._error = True, result, error
        callbacks, self._callbacks = self._callbacks, []
        for waits in callbacks:
            if isinstance(waits, Waiter):
                waits.settle(None)
            else:
                callback, context = waits
                self.jobs.queue_microtask(callback, self, context=context)

    def add_done_callback(self, callback: Callback, *, context: contextvars.Context | None = None) -> None:
        """Called with this future, as a microtask."""
        context = context or contextvars.copy_context()
        if self._is_done:
            self.jobs.queue_microtask(callback, self, context=context)
        else:
            self._callbacks.append((callback, context))

    def remove_done_callback(self, callback: Callback) -> int:
        """How many there were of it."""
        kept = [waits for waits in self._callbacks if isinstance(waits, Waiter) or waits[0] != callback]
        removed = len(self._callbacks) - len(kept)
        self._callbacks = kept
        return removed

    def waiter(self) -> Waiter:
        """For one who waits: ends with this future, but may be cancelled without it. Its result is None."""
        waiter = Waiter(self.jobs)
        waiter.awaited = self
        self._callbacks.append(waiter)
        return waiter

    def forget(self, waiter: Waiter) -> None:
        """They do not wait any more."""
        if waiter in self._callbacks:
            self._callbacks.remove(waiter)

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._is_done:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    __iter__ = __await__

    def __del__(self) -> None:
        error = self._error
        if error is None or self.is_handled or self.what is None or isinstance(error, asyncio.CancelledError):
            return
        if self.jobs.is_here:
            report(error, f"{self.what}, which nobody awaited,")

    def _ask(self) -> None:
        if not self._is_done:
            raise asyncio.InvalidStateError("there is no result yet")


class Waiter(JobFuture):
    """One who waits for another future."""

    awaited: JobFuture

    def cancel(self, msg: Any = None) -> bool:
        """Stop waiting; what was waited for goes on."""
        self.awaited.forget(self)
        return super().cancel(msg)
