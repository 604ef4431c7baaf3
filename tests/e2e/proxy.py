"""A proxy between page and server, as bad as proxies can be: cuts connections, blocks WebSocket, holds streams back."""

from __future__ import annotations

import asyncio
import re

_REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Listens on a port of its own; use it as `async with`. Its badness can be changed at any time."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.blocks_websocket = False
        self.holds_streams = False
        self.is_cut = False
        self.paths: list[str] = []  # what was asked for, "GET /signal" and the like

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://localhost:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Abort every connection, and let none through until `mend`."""
        self.is_cut = True
        self.abort()

    def mend(self) -> None:
        self.is_cut = False

    def abort(self) -> None:
        """Abort every connection once; new ones get through."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # one of the two has gone
        finally:
            writer.close()
            self._open.discard(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, and what comes of it."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.paths.append(head.split(b" HTTP/")[0].decode())
        is_websocket = re.search(rb"(?i)\r\nupgrade: websocket", head) is not None
        if is_websocket and self.blocks_websocket:
            writer.write(_REFUSAL)
            await writer.drain()
            return
        if not is_websocket:
            # One request a connection: then its answer is all that comes back.
            head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)
            head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        self._open.add(to_server)
        to_server.write(head)
        forth = asyncio.ensure_future(_copy(reader, to_server))
        try:
            answer = await from_server.readuntil(b"\r\n\r\n")
            writer.write(answer)
            is_held = self.holds_streams and b"text/event-stream" in answer
            await _copy(from_server, None if is_held else writer)
        finally:
            forth.cancel()
            to_server.close()
            self._open.discard(to_server)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
    """All that comes; without a writer it is swallowed."""
    while data := await reader.read(65536):
        if writer is not None:
            writer.write(data)
            await writer.drain()
