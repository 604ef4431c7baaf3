"""STUN servers that do what the test says: a function makes the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from peerline.doctor.stun.address import Address, write_xored
from peerline.doctor.stun.message import Attribute, Kind, Message, Method, read, write

Answers = Callable[[Message, Address], Iterable[bytes]]
HERE = "127.0.0.1"


def success(request: Message, source: Address, key: bytes | None = None) -> bytes:
    """The right answer to a Binding."""
    mapped = (Attribute.XOR_MAPPED_ADDRESS, write_xored(source, request.transaction))
    return write(Method(request.method), Kind.SUCCESS, request.transaction, [mapped], key)


def error(request: Message, number: int, *more: tuple[int, bytes], key: bytes | None = None) -> bytes:
    """An error response."""
    code = (Attribute.ERROR_CODE, bytes((0, 0, number // 100, number % 100)) + b"No")
    return write(Method(request.method), Kind.ERROR, request.transaction, [code, *more], key)


@asynccontextmanager
async def udp_server(answers: Answers) -> AsyncIterator[Address]:
    """Gives its address."""

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            for answer in answers(read(data), addr[:2]):
                self.transport.sendto(answer, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=(HERE, 0))
    try:
        yield transport.get_extra_info("sockname")[:2]
    finally:
        transport.close()


@asynccontextmanager
async def tcp_server(answers: Answers, *, closes: bool = False) -> AsyncIterator[Address]:
    """Each answer is a piece that is written by itself. `closes`: hang up after the first request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(20)
                request = read(head + await reader.readexactly(int.from_bytes(head[2:4])))
                for piece in answers(request, writer.get_extra_info("peername")[:2]):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HERE, 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
