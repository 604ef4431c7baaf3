"""A TURN client over UDP, TCP and TLS, written from RFC 8656 and RFC 8489 alone."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import ssl
import struct
from typing import Any

from .turn_message import (
    COOKIE,
    DATA,
    ERROR_CODE,
    INTEGRITY,
    LIFETIME,
    NONCE,
    PEER,
    REALM,
    Address,
    attributes_of,
    xored,
)  # fmt: skip

BINDING, ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND = 0x001, 0x003, 0x004, 0x008, 0x009
SEND_INDICATION, DATA_INDICATION = 0x016, 0x017
USERNAME, CHANNEL, FAMILY, TRANSPORT = 0x06, 0x0C, 0x17, 0x19
IPV4, IPV6 = 1, 2
PATIENCE_S = 20.0

Attributes = list[tuple[int, bytes | Address]]


class TurnClient:
    """Knows its credentials and one server. A challenge is answered, nothing is repeated."""

    def __init__(self, username: str, password: str) -> None:
        self.username, self.password = username, password
        self.realm = self.nonce = b""
        self.transport: Any = None
        self.is_stream = False
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()

    @classmethod
    async def connect(
        cls, server: Address, username: str = "", password: str = "", *, kind: str = "udp",
        trust: ssl.SSLContext | None = None, source: Address | None = None,
    ) -> TurnClient:  # fmt: skip
        """Over "udp", "tcp" or "tls", from `source`; `trust` is for TLS."""
        loop, client = asyncio.get_running_loop(), cls(username, password)
        if kind == "udp":
            await loop.create_datagram_endpoint(lambda: _Datagrams(client), remote_addr=server, local_addr=source)
        else:
            client.is_stream = True
            secure = trust if kind == "tls" else None
            await loop.create_connection(lambda: _Stream(client), *server, ssl=secure, local_addr=source)
        return client

    @property
    def address(self) -> Address:
        """Ours."""
        host, port, *_ = self.transport.get_extra_info("sockname")
        return host, port

    def send(self, packet: bytes) -> None:
        """As it is: a message or ChannelData."""
        if self.is_stream:
            self.transport.write(packet + bytes(-len(packet) % 4))
        else:
            self.transport.sendto(packet)

    async def receive(self) -> bytes:
        """The next message or ChannelData."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.inbox.get()

    def message(self, kind: int, attributes: Attributes) -> bytes:
        """Sealed, once the server has told realm and nonce. Addresses are those of peers."""
        transaction = os.urandom(12)
        if self.nonce:
            attributes = [*attributes, (USERNAME, self.username.encode()), (REALM, self.realm), (NONCE, self.nonce)]
        values = [(k, v if isinstance(v, bytes) else xored(v, transaction)) for k, v in attributes]
        body = b"".join(struct.pack("!HH", k, len(v)) + v + bytes(-len(v) % 4) for k, v in values)
        if not self.nonce:
            return struct.pack("!HHI", kind, len(body), COOKIE) + transaction + body
        head = struct.pack("!HHI", kind, len(body) + 24, COOKIE) + transaction
        key = hashlib.md5(b":".join([self.username.encode(), self.realm, self.password.encode()])).digest()
        return head + body + struct.pack("!HH", INTEGRITY, 20) + hmac.digest(key, head + body, "sha1")

    async def ask(self, method: int, attributes: Attributes | None = None) -> tuple[int, dict[int, bytes]]:
        """Status (0 is success) and attributes."""
        for _ in range(2):
            question = self.message(method, attributes or [])
            self.send(question)
            found = attributes_of(await self._answer(question[8:20]))
            error = found.get(ERROR_CODE)
            status = error[2] * 100 + error[3] if error is not None else 0
            if status not in (401, 438) or self.nonce:
                return status, found
            self.realm, self.nonce = found[REALM], found[NONCE]
        raise AssertionError("never")

    async def _answer(self, transaction: bytes) -> bytes:
        """What came before it is not lost."""
        others = []
        while (packet := await self.receive())[8:20] != transaction or packet[0] & 0xC0:
            others.append(packet)
        while not self.inbox.empty():
            others.append(self.inbox.get_nowait())
        for other in others:
            self.inbox.put_nowait(other)
        return packet

    async def allocate(self, family: int | None = None) -> tuple[int, dict[int, bytes]]:
        """A relay for UDP."""
        wanted: Attributes = [(TRANSPORT, bytes([17, 0, 0, 0]))]
        return await self.ask(ALLOCATE, wanted if family is None else [*wanted, (FAMILY, bytes([family, 0, 0, 0]))])

    async def permit(self, peer: Address) -> int:
        """CreatePermission."""
        return (await self.ask(CREATE_PERMISSION, [(PEER, peer)]))[0]

    async def bind(self, channel: int, peer: Address) -> int:
        """ChannelBind."""
        return (await self.ask(CHANNEL_BIND, [(CHANNEL, struct.pack("!HH", channel, 0)), (PEER, peer)]))[0]

    def send_to(self, peer: Address, data: bytes) -> None:
        """A Send indication: the server never answers one."""
        self.send(self.message(SEND_INDICATION, [(PEER, peer), (DATA, data)]))

    async def refresh(self, lifetime_s: int | None = None) -> int:
        """Refresh; 0 s ends the allocation. All that was sent before has been handled when it returns."""
        wanted: Attributes = [(LIFETIME, struct.pack("!I", lifetime_s))] if lifetime_s is not None else []
        return (await self.ask(REFRESH, wanted))[0]

    def let_go(self) -> None:
        """End the allocation, if there is one, and wait for no answer. A stream's ends with it."""
        if self.nonce and not self.is_stream and not self.transport.is_closing():
            self.send(self.message(REFRESH, [(LIFETIME, bytes(4))]))

    def close(self) -> None:
        """Without a word to the server."""
        self.transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, client: TurnClient) -> None:
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._client.inbox.put_nowait(data)


class _Stream(asyncio.Protocol):
    """Messages and ChannelData one after another, each padded to four bytes (RFC 8656 §12.5)."""

    def __init__(self, client: TurnClient) -> None:
        self._client = client
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 4:
            size = struct.unpack_from("!H", self._buffer, 2)[0] + (4 if self._buffer[0] & 0xC0 else 20)
            if len(self._buffer) < size + -size % 4:
                return
            self._client.inbox.put_nowait(self._buffer[:size])
            self._buffer = self._buffer[size + -size % 4 :]
