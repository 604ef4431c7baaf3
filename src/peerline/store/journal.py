"""Writes to the store in order, behind the back of the calls: a slow or absent database never stops a call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from peerline.errors import BackendError

log = logging.getLogger("peerline.store")

MAX_QUEUED = 100_000
RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)

Write = Callable[[], Awaitable[None]]


class Journal:
    """A queue of writes and the one task that does them, again and again while the database is away."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Write] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        self._is_writing = False

    @property
    def depth(self) -> int:
        """Writes that wait, the one that is being tried among them."""
        return self._queue.qsize() + self._is_writing

    def put(self, write: Write) -> None:
        """Do this after all that was put before. Dropped, counted and logged when 100,000 wait already."""
        if self._queue.qsize() >= MAX_QUEUED:
            self.dropped += 1
            if self.dropped == 1:
                log.error("the store has been away for too long: call records are being dropped")
            return
        self._queue.put_nowait(write)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="peerline store journal")

    async def flushed(self, timeout_s: float = 2.0) -> None:
        """Wait until what was put so far is done. Raises BackendError if it takes longer."""
        try:
            await asyncio.wait_for(self._queue.join(), timeout_s)
        except TimeoutError:
            raise BackendError("the store is behind") from None

    async def close(self, timeout_s: float = 5.0) -> None:
        """Finish what can be finished within `timeout_s`, then stop."""
        try:
            await self.flushed(timeout_s)
        except BackendError:
            log.error("the store is away: %d call records could not be written", self.depth)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            write = await self._queue.get()
            self._is_writing = True
            try:
                await self._write(write)
            finally:
                self._is_writing = False
                self._queue.task_done()

    async def _write(self, write: Write) -> None:
        attempt = 0
        while True:
            try:
                await write()
                return
            except BackendError as error:
                if not error.retryable:
                    self.dropped += 1
                    log.error("the store refuses a record: it is dropped")
                    return
                if attempt == 0:
                    log.warning("the store is away, trying again: %s", error.message)
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                attempt += 1
            except Exception:
                log.exception("a record could not be written")
                return
