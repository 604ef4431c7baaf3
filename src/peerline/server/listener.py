"""HTTP and HTTPS on one port: the first byte of a connection tells which (0x16 begins a TLS handshake, RFC 8446)."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

from peerline.server.tasks import Tasks

log = logging.getLogger("peerline.server")

TLS_HANDSHAKE = 0x16
FIRST_BYTE_S = 10.0
TLS_S = 10.0
# Connections that have not said their first byte; more are turned away until some have.
MAX_UNSORTED = 1000

ProtocolFactory = Callable[[], asyncio.Protocol]


class SortingListener:
    """Accepts on a listening socket; TLS connections get `secure`, others `plain`."""

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, *, secure: ProtocolFactory, plain: ProtocolFactory
    ) -> None:
        self._sock = sock
        self._context = context
        self._secure = secure
        self._plain = plain
        self._tasks = Tasks()
        self._unsorted = 0
        sock.setblocking(False)

    def start(self) -> None:
        """Begin to accept."""
        self._tasks.spawn(self._accept(), "listener")

    async def close(self) -> None:
        """Accept no more."""
        await self._tasks.close()
        self._sock.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._sock)
            except OSError as error:
                # Out of descriptors, or the client was gone already: wait a moment, go on.
                log.warning("a connection could not be accepted: %s", error.strerror)
                await asyncio.sleep(0.1)
                continue
            if self._unsorted >= MAX_UNSORTED:
                connection.close()
                continue
            self._unsorted += 1
            self._tasks.spawn(self._sort(connection), "connection")

    async def _sort(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            first = await asyncio.wait_for(_first_byte(connection), FIRST_BYTE_S)
            if not first:
                connection.close()
            elif first[0] == TLS_HANDSHAKE:
                await loop.connect_accepted_socket(
                    self._secure, connection, ssl=self._context, ssl_handshake_timeout=TLS_S
                )
            else:
                await loop.connect_accepted_socket(self._plain, connection)
        except (
            OSError,
            TimeoutError,
        ):  # it went away, never spoke, or its TLS failed (a stranger's certificate)
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise
        finally:
            self._unsorted -= 1


async def _first_byte(connection: socket.socket) -> bytes:
    """Look at the first byte without taking it. Empty: the other side closed."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            readable = loop.create_future()
            loop.add_reader(connection.fileno(), _resolve, readable)
            try:
                await readable
            finally:
                loop.remove_reader(connection.fileno())


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def bind(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(2048)
    except OSError:
        sock.close()
        raise
    return sock
