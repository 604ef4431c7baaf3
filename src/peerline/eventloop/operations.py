"""One asynchronous operation after the other: the operations chain of a connection (W3C WebRTC, section 4.4.1.2)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from peerline.errors import InvalidStateError
from peerline.jobs import Promise, promise

T = TypeVar("T")


class OperationsChain:
    """Operations of one object. `is_closed` asks the object; `on_empty` runs whenever the last one is done.

    Once the object is closed, new operations are rejected with InvalidStateError, and the promises of those that are
    under way settle no more: the specification has it so.
    """

    def __init__(
        self, is_closed: Callable[[], bool] = lambda: False, on_empty: Callable[[], object] = lambda: None
    ) -> None:
        self._is_closed = is_closed
        self._on_empty = on_empty
        self._waiting: list[Callable[[], None]] = []

    @property
    def is_empty(self) -> bool:
        """Whether no operation runs or waits."""
        return not self._waiting

    def chain(self, operation: Callable[[], Coroutine[Any, Any, T]], what: str = "an operation") -> Promise[T]:
        """Run it when those before it are over; at once if there are none. The promise is of its result."""
        if self._is_closed():
            return Promise.rejected(InvalidStateError("the connection is closed"), what)
        if not self._waiting:
            # What is refused at once leaves no trace: the caller finds its promise rejected, and the chain empty.
            try:
                first: Promise[T] | None = promise(operation(), what)
            except Exception as error:
                return Promise.rejected(error, what)
        else:
            first = None
        outcome: Promise[T] = Promise(what)

        def run() -> None:
            try:
                running = promise(operation(), what)
            except Exception as error:
                outcome.reject(error)
            else:
                running.upon(settle)

        def settle(result: T, error: BaseException | None) -> None:
            if self._is_closed():
                return
            if error is None:
                outcome.resolve(result)
            else:
                outcome.reject(error)

        self._waiting.append(run)
        # Before anybody else can react: what follows in the chain goes first.
        outcome.watch(self._next)
        if first is not None:
            first.upon(settle)
        return outcome

    def _next(self) -> None:
        if self._is_closed() or not self._waiting:
            return
        self._waiting.pop(0)
        if self._waiting:
            self._waiting[0]()
        else:
            self._on_empty()
