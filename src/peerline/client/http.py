"""Requests to the server: HTTP/1.1 over asyncio's streams, a connection for each, answers read as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httptools

from peerline.client.carriage import NoWayError, Server, no_way

__all__ = ["Http", "Response"]

_PIECE_BYTES = 65_536
# What a session may have unacknowledged is far less.
_MAX_BODY_BYTES = 4 << 20
_MAX_HEAD_BYTES = 65_536


class Response:
    """An answer whose body may not be there yet. httptools calls its `on_…` methods."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._has_head = False
        self._is_complete = False

    @property
    def status(self) -> int:
        """200 and the like."""
        return int(self._parser.get_status_code())

    async def head(self) -> None:
        """Read up to the end of the headers."""
        size = 0
        while not self._has_head:
            piece = await self._reader.read(_PIECE_BYTES)
            size += len(piece)
            if not piece or size > _MAX_HEAD_BYTES + _PIECE_BYTES:
                raise NoWayError("it closed the connection without an answer" if not piece else "no end of headers")
            self._feed(piece)

    async def piece(self) -> bytes:
        """The next piece of the body; empty at its end, and when the connection breaks."""
        while not self._pieces and not self._is_complete:
            piece = await self._reader.read(_PIECE_BYTES)
            if not piece:
                return b""
            self._feed(piece)
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole

    async def body(self) -> bytes:
        """All of it."""
        whole = b""
        while piece := await self.piece():
            whole += piece
            if len(whole) > _MAX_BODY_BYTES:
                raise NoWayError("the answer is too large")
        return whole

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._is_complete = True

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise NoWayError("what answers there does not speak HTTP") from error


class Http:
    """Asks one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, key: str | None = None, within_s: float
    ) -> tuple[int, bytes]:
        """Status and body. Raises NoWayError."""
        try:
            async with asyncio.timeout(within_s), self.open(method, path, body, key=key) as response:
                return response.status, await response.body()
        except TimeoutError as error:
            raise no_way(error) from error

    @asynccontextmanager
    async def open(
        self, method: str, path: str, body: bytes = b"", *, key: str | None = None
    ) -> AsyncIterator[Response]:
        """An answer whose body is read by whoever asks. Raises NoWayError."""
        url, tls = self._server.url, self._server.tls
        try:
            reader, writer = await asyncio.open_connection(url.host, url.port, ssl=tls if url.is_secure else None)
        except OSError as error:
            raise no_way(error) from error
        try:
            writer.write(_head(method, f"{url.prefix}{path}", url.netloc, key, len(body)) + body)
            response = Response(reader)
            await response.head()
            yield response
        except OSError as error:
            raise no_way(error) from error
        finally:
            writer.transport.abort()


def _head(method: str, path: str, host: str, key: str | None, size: int) -> bytes:
    fields: Mapping[str, str] = {
        "Host": host,
        "Connection": "close",
        "Cache-Control": "no-store",
        **({"Authorization": f"Bearer {key}"} if key is not None else {}),
        **({"Content-Type": "application/json", "Content-Length": str(size)} if method == "POST" else {}),
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()
