"""The thread that writes a recording: takes what arrives until all has ended, finishes the file, tells of errors."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from peerline.errors import OperationError, PeerlineError

if TYPE_CHECKING:
    from peerline.media.sinks.backlog import Backlog
    from peerline.media.sinks.lane import Lane
    from peerline.media.sinks.output_file import OutputFile
    from peerline.media.sinks.recording import MuxedRecording, WavRecording

__all__ = ["Writer", "call_on"]

_log = logging.getLogger("peerline.media")


class Writer:
    """It ends when the backlog is closed and empty, when all lanes have ended, or with an error: `failed` gets it."""

    def __init__(
        self,
        recording: MuxedRecording | WavRecording,
        output: OutputFile,
        backlog: Backlog,
        lanes: Collection[Lane],
        failed: Callable[[PeerlineError], None],
    ) -> None:
        self.error: PeerlineError | None = None
        self.is_done = False
        self._recording = recording
        self._output = output
        self._backlog = backlog
        self._live = set(lanes)
        self._failed = failed
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._thread = threading.Thread(target=self._run, name="peerline-recorder", daemon=True)
        self._thread.start()

    async def finished(self) -> None:
        """Wait until the file is complete, or as complete as it can be."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        with self._lock:
            if self.is_done:
                future.set_result(None)
            else:
                self._waiting.append((loop, future))
        await future
        self._thread.join()  # it is at its very end

    def _run(self) -> None:
        for step in (self._write, self._finish):
            try:
                step()
            except Exception as error:
                self._fail(error)
        self._output.close()
        with self._lock:
            self.is_done = True
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            call_on(loop, _resolve, future)

    def _write(self) -> None:
        while self._live and (arrival := self._backlog.take()) is not None:
            self._recording.write(arrival)
            self._check_disk()
            if arrival.frame is None:
                self._live.discard(arrival.lane)
        self._backlog.close()

    def _finish(self) -> None:
        self._recording.finish()
        self._check_disk()

    def _check_disk(self) -> None:
        if self._output.error is not None:
            raise self._output.error

    def _fail(self, error: Exception) -> None:
        if self.error is not None:
            return
        if self._output.error is not None:
            said: PeerlineError = self._output.error
        elif isinstance(error, PeerlineError):
            said = error
        else:
            said = OperationError(f"this cannot be recorded: {error}")
            said.__cause__ = error
        self.error = said
        self._backlog.close(is_dropping=True)
        _log.warning("a recording ended: %s", said)
        self._failed(said)


def call_on(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: object) -> None:
    """From another thread; nothing happens if the loop is closed, as whoever wanted to know is gone with it."""
    try:
        loop.call_soon_threadsafe(call, *arguments)
    except RuntimeError:
        pass


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
