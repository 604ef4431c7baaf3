"""Work off the event loop, in order: one queue a stream, and few threads for all of them."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["Work"]

Item = TypeVar("Item")

_log = logging.getLogger("peerline.media")
_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def _threads() -> ThreadPoolExecutor:
    """Made with the first work, and again in a process that was forked."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(2, os.cpu_count() or 2), thread_name_prefix="peerline-media")
        return _pool


def _forget_pool() -> None:
    global _pool
    _pool = None


os.register_at_fork(after_in_child=_forget_pool)


class Work(Generic[Item]):
    """`do` is called with one item after the other, on a thread of the pool. At most `limit` wait: older ones go."""

    def __init__(self, do: Callable[[Item], None], limit: int) -> None:
        self._do = do
        self._limit = limit
        self._items: deque[Item] = deque()
        self._last: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._is_running = False
        self._is_closed = False

    def push(self, item: Item, *, at_once: bool = False) -> int:
        """From any thread; says how many older ones were dropped for it.

        `at_once`: on this thread, unless another is at it. For what is done sooner than another thread wakes up.
        """
        with self._lock:
            if self._is_closed:
                return 0
            self._items.append(item)
            dropped = len(self._items) - self._limit
            if dropped > 0:
                self._items.popleft()
            must_start = not self._is_running
            self._is_running = True
        if must_start and at_once:
            self._run()
        elif must_start:
            _threads().submit(self._run)
        return max(dropped, 0)

    def close(self) -> None:
        """What waits is dropped; what is being done ends."""
        with self._lock:
            self._is_closed = True
            self._items.clear()

    def push_last(self, do: Callable[[], None]) -> None:
        """To be done once, after all else and although it is closed."""
        with self._lock:
            self._last = do
            must_start = not self._is_running
            self._is_running = True
        if must_start:
            _threads().submit(self._run)

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._items:
                    item = self._items.popleft()
                    last = None
                elif self._last is not None:
                    last, self._last = self._last, None
                else:
                    self._is_running = False
                    return
            try:
                if last is not None:
                    last()
                else:
                    self._do(item)
            except Exception:
                _log.exception("media work failed")
