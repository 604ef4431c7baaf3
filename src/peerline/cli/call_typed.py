"""Lines of standard input, wherever it comes from: a terminal, a pipe, a file."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from typing import Self

__all__ = ["TypedLines", "pieces"]

# So many lines are read ahead; a pipe then waits until they are sent.
_AHEAD = 64
_MAX_LINE_BYTES = 65_536


class TypedLines:
    """`async for line in lines`, without line ends, until the end of input (Ctrl-D).

    A thread reads: a terminal cannot be made non-blocking without making the programs beside us so, and files are
    always ready. It reads the descriptor itself, so that it may be left waiting there when the program ends.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = sys.stdin.fileno() if descriptor is None else descriptor
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._room = threading.Semaphore(_AHEAD)
        threading.Thread(target=self._read, name="standard input", daemon=True).start()

    @property
    def is_terminal(self) -> bool:
        """Whether somebody types."""
        return os.isatty(self._descriptor)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise StopAsyncIteration
        self._room.release()
        return line

    def _read(self) -> None:
        rest = b""
        try:
            while True:
                try:
                    piece = os.read(self._descriptor, _MAX_LINE_BYTES)
                except OSError:  # a terminal that is gone
                    piece = b""
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > _MAX_LINE_BYTES or (rest and not piece):
                    lines.append(rest)
                    rest = b""
                for line in lines:
                    self._room.acquire()
                    self._put(line.removesuffix(b"\r").decode(errors="replace"))
                if not piece:
                    self._put(None)
                    return
        except RuntimeError:
            pass  # the loop is closed: nobody wants to know

    def _put(self, line: str | None) -> None:
        self._loop.call_soon_threadsafe(self._lines.put_nowait, line)


def pieces(line: str, most: int) -> Iterator[str]:
    """The line in pieces of at most so many UTF-16 units, as JavaScript counts; none of nothing."""
    piece, count = "", 0
    for char in line:
        units = 2 if char > "\uffff" else 1
        if count + units > most:
            yield piece
            piece, count = "", 0
        piece += char
        count += units
    if piece:
        yield piece
