"""What the W3C's methods return: runs at once, may be awaited by anybody or by nobody (ECMAScript, 27.2)."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any, ParamSpec, TypeVar

from peerline.errors import LoopError
from peerline.jobs.coroutine import Job
from peerline.jobs.fork import Birthplace
from peerline.jobs.future import JobFuture
from peerline.jobs.queue import Jobs, running_jobs

T = TypeVar("T")
P = ParamSpec("P")


class Promise(Coroutine[Any, Any, T]):
    """A result to come. `await` it, as often as you like, or give it to asyncio's `create_task`, `gather`, `wait_for`.

    Who stops waiting for it stops nothing: there is no cancelling in JavaScript. An error that nobody has awaited is
    reported when the promise is forgotten. Awaiting one that is settled does not suspend. Made while no loop runs, it
    starts when it is awaited.
    """

    def __init__(self, what: str = "a promise") -> None:
        self._what = what
        self._future: JobFuture | None = None
        self._coroutine: Coroutine[Any, Any, T] | None = None
        self._early: tuple[Any, BaseException | None] | None = None
        self._iterator: Generator[Any, Any, T] | None = None
        self._birthplace = Birthplace()
        if (jobs := running_jobs()) is not None:
            self._future = self._pending(jobs)

    @property
    def is_settled(self) -> bool:
        """Whether there is a result or an error."""
        return self._early is not None or (self._future is not None and self._future.done())

    def resolve(self, value: Any = None) -> None:
        """It came out well. The second call, and any later one, changes nothing."""
        self._settle(value, None)

    def reject(self, error: BaseException) -> None:
        """It failed."""
        self._settle(None, error)

    def upon(self, reaction: Callable[[Any, BaseException | None], object]) -> None:
        """Call `reaction(result, error)` as a microtask once it is settled: the specifications' "upon"."""
        future = self._started()
        future.is_handled = True
        future.add_done_callback(lambda settled: reaction(settled._result, settled._error))

    def watch(self, reaction: Callable[[], object]) -> None:
        """The same, for one whom the outcome does not concern: an error is still reported if nobody else awaits it."""
        self._started().add_done_callback(lambda _settled: reaction())

    @classmethod
    def resolved(cls, value: T) -> Promise[T]:
        """One that has come out well."""
        done: Promise[T] = cls()
        done.resolve(value)
        return done

    @classmethod
    def rejected(cls, error: BaseException, what: str = "a promise") -> Promise[Any]:
        """One that has failed."""
        done: Promise[Any] = cls(what)
        done.reject(error)
        return done

    # For those who wait ---------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, Any, T]:
        self._birthplace.check("this promise")
        future = self._started()
        future.is_handled = True
        if not future.done():
            # One for each who waits: to cancel it is to stop waiting, not to stop the work.
            yield from future.waiter()
        result: T = future.result()
        return result

    def send(self, value: Any) -> Any:
        """Be a coroutine, for `asyncio.create_task` and `asyncio.run`."""
        return self._steps().send(value)

    def throw(self, *error: Any) -> Any:
        """Be a coroutine."""
        return self._steps().throw(*error)

    def close(self) -> None:
        """Be a coroutine: nobody waits any more. The work goes on."""
        if self._iterator is not None:
            self._iterator.close()
        elif self._coroutine is not None and self._future is None:
            self._coroutine.close()

    def __repr__(self) -> str:
        return f"<Promise {self._what} {'settled' if self.is_settled else 'pending'}>"

    # Inside ---------------------------------------------------------------------------------------

    def _steps(self) -> Generator[Any, Any, T]:
        if self._iterator is None:
            self._iterator = self.__await__()
        return self._iterator

    def _started(self) -> JobFuture:
        if self._future is None:
            jobs = running_jobs()
            if jobs is None:
                raise LoopError("no event loop runs in this thread", hint="Await it inside asyncio.run(…).")
            if self._coroutine is not None:
                self._run(jobs, self._coroutine)
            else:
                self._future = self._pending(jobs)
                if self._early is not None:
                    self._future.settle(*self._early)
        assert self._future is not None
        return self._future

    def _pending(self, jobs: Jobs) -> JobFuture:
        future = JobFuture(jobs)
        future.what = self._what
        return future

    def _run(self, jobs: Jobs, coroutine: Coroutine[Any, Any, T]) -> None:
        job = Job(jobs, coroutine, self._what)
        job.what = self._what
        self._future = job
        self._coroutine = None
        job.start()

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self._future is not None:
            self._future.settle(value, error)
        elif self._early is None:
            self._early = value, error


def promise(coroutine: Coroutine[Any, Any, T], what: str | None = None) -> Promise[T]:
    """Start a coroutine at once, up to its first suspension; it goes on by itself, whether anybody awaits it or not.

    `what` names it in reports and in `asyncio.all_tasks`.
    """
    if isinstance(coroutine, Promise):
        return coroutine
    name = what or str(getattr(coroutine, "__qualname__", "a promise"))
    jobs = running_jobs()
    if jobs is None:
        waits: Promise[T] = Promise(name)
        waits._coroutine = coroutine
        return waits
    jobs.check()
    started: Promise[T] = Promise(name)
    started._run(jobs, coroutine)
    return started


def promising(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Promise[T]]:
    """Make an `async def` return a promise, as the W3C means it: wrong arguments reject, they do not raise."""

    @functools.wraps(function)
    def start(*args: P.args, **kwargs: P.kwargs) -> Promise[T]:
        try:
            coroutine = function(*args, **kwargs)
        except TypeError as error:  # the arguments do not fit
            return Promise.rejected(error, function.__qualname__)
        return promise(coroutine, function.__qualname__)

    return inspect.markcoroutinefunction(start) if hasattr(inspect, "markcoroutinefunction") else start
