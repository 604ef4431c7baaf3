"""Runs a coroutine from the moment it is made, as JavaScript runs an async function. An asyncio task of our own.

Tasks of asyncio start with the next turn of the loop (3.11 has no others). asyncio documents what a task of one's own
must do ("Extending", Task lifetime support): register, and say when it runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Coroutine
from typing import Any

from peerline.jobs.future import JobFuture
from peerline.jobs.queue import Jobs

_numbers = itertools.count(1)


class Job(JobFuture):
    """One running coroutine. `asyncio.current_task()` inside it; `asyncio.timeout` and task groups work."""

    def __init__(self, jobs: Jobs, coroutine: Coroutine[Any, Any, Any], name: str | None = None) -> None:
        super().__init__(jobs)
        self._coroutine = coroutine
        self._name = name or f"Job-{next(_numbers)}"
        self._context = contextvars.copy_context()
        self._fut_waiter: Any = None
        self._must_cancel = False
        self._cancel_message: Any = None
        self._cancels = 0

    def start(self) -> None:
        """The first part, up to its first suspension: now."""
        self.jobs.held.add(self)
        asyncio._register_task(self)  # type: ignore[arg-type]
        self._run(None)

    # What asyncio asks of a task -----------------------------------------------------------------

    def get_coro(self) -> Coroutine[Any, Any, Any]:
        """What it runs."""
        return self._coroutine

    def get_context(self) -> contextvars.Context:
        """Where it runs."""
        return self._context

    def get_name(self) -> str:
        """Its name in logs."""
        return self._name

    def set_name(self, name: object) -> None:
        """Change it."""
        self._name = str(name)

    def cancelling(self) -> int:
        """How often it was asked to end."""
        return self._cancels

    def uncancel(self) -> int:
        """Take one of these back."""
        self._cancels = max(0, self._cancels - 1)
        return self._cancels

    def cancel(self, msg: Any = None) -> bool:
        """Raise CancelledError in the coroutine, where it waits."""
        if self._is_done:
            return False
        self._cancels += 1
        if self._fut_waiter is not None and self._fut_waiter.cancel(msg=msg):
            return True
        self._must_cancel, self._cancel_message = True, msg
        return True

    def __repr__(self) -> str:
        return f"<Job {self._name} {'done' if self._is_done else 'running'} {self._coroutine!r}>"

    # Inside --------------------------------------------------------------------------------------

    def _run(self, error: BaseException | None) -> None:
        if self._is_done:
            return
        if self._must_cancel:
            self._must_cancel = False
            if not isinstance(error, asyncio.CancelledError):
                message = self._cancel_message
                error = asyncio.CancelledError() if message is None else asyncio.CancelledError(message)
        self._fut_waiter = None
        jobs, loop = self.jobs, self._loop
        outer = asyncio.current_task(loop)
        jobs.enter()
        if outer is not None:
            asyncio._leave_task(loop, outer)
        asyncio._enter_task(loop, self)  # type: ignore[arg-type]
        try:
            self._step(error)
        finally:
            asyncio._leave_task(loop, self)  # type: ignore[arg-type]
            if outer is not None:
                asyncio._enter_task(loop, outer)
            jobs.leave()

    def _step(self, error: BaseException | None) -> None:
        try:
            if error is None:
                waits_for = self._context.run(self._coroutine.send, None)
            else:
                waits_for = self._context.run(self._coroutine.throw, error)
        except StopIteration as stop:
            self._end(stop.value, None)
        except (KeyboardInterrupt, SystemExit) as end:
            self._end(None, end)
            raise
        except BaseException as failure:
            self._end(None, _without_this_frame(failure))
        else:
            self._wait(waits_for)

    def _wait(self, waits_for: Any) -> None:
        blocking = getattr(waits_for, "_asyncio_future_blocking", None)
        if waits_for is None:  # asyncio.sleep(0)
            self._loop.call_soon(self._run, None)
        elif not blocking:
            wrong = RuntimeError(f"a coroutine waits for {waits_for!r}, which nobody can wait for")
            self._loop.call_soon(self._run, wrong)
        elif waits_for is self or waits_for.get_loop() is not self._loop:
            wrong = RuntimeError(f"a coroutine waits for {waits_for!r}: itself, or of another event loop")
            self._loop.call_soon(self._run, wrong)
        else:
            waits_for._asyncio_future_blocking = False
            # Not in our context: a checkpoint may follow the step, and that must be able to enter it again.
            waits_for.add_done_callback(self._wake, context=contextvars.Context())
            self._fut_waiter = waits_for
            if self._must_cancel and waits_for.cancel(msg=self._cancel_message):
                self._must_cancel = False

    def _wake(self, future: Any) -> None:
        try:
            future.result()
        except BaseException as error:
            self._run(_without_this_frame(error))
        else:
            self._run(None)

    def _end(self, result: Any, error: BaseException | None) -> None:
        self.jobs.held.discard(self)
        asyncio._unregister_task(self)  # type: ignore[arg-type]
        self.settle(result, error)


def _without_this_frame(error: BaseException) -> BaseException:
    # The frame holds the job and the job the error: forgotten by the collector only, and reported as late.
    return error.with_traceback(error.__traceback__.tb_next if error.__traceback__ is not None else None)
