"""What carries the messages: UDP, TCP or TLS (RFC 8489 §6.2). TCP is cut into messages by their lengths."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

from peerline.doctor.stun.address import Address
from peerline.doctor.stun.errors import LinkLostError, MalformedError
from peerline.doctor.stun.message import HEADER_BYTES
from peerline.doctor.stun.url import Transport

CONNECT_WITHIN_S = 4.0


class Link:
    """One way to a server. `on_packet` gets whole messages, `on_lost` the reason when it breaks."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.local: Address = ("", 0)
        self.on_packet: Callable[[bytes, Address], None] = lambda data, source: None
        self.on_lost: Callable[[LinkLostError], None] = lambda error: None

    @property
    def is_reliable(self) -> bool:
        """Whether the network sends again what was lost."""
        return self.transport != "udp"

    def send(self, data: bytes, to: Address | None = None) -> None:
        """One message; over UDP it may go to somebody else than the server that was connected to."""
        raise NotImplementedError

    def close(self) -> None:
        """Closing again does nothing."""
        raise NotImplementedError


async def connect(transport: Transport, address: Address, *, tls: ssl.SSLContext, name: str = "") -> Link:
    """A link to this server; `name` is what its certificate should be for. Raises LinkLostError."""
    if transport == "udp":
        return await open_udp(to=address)
    loop = asyncio.get_running_loop()
    link = _StreamLink(transport)
    secure: dict[str, Any] = {"ssl": tls, "server_hostname": name or address[0]} if transport == "tls" else {}
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            stream, _ = await loop.create_connection(lambda: _Stream(link), *address, **secure)
    except TimeoutError:
        raise LinkLostError(
            f"TCP port {address[1]}: no connection within {CONNECT_WITHIN_S:g} s", code="timeout"
        ) from None
    except ssl.SSLError as error:
        code = "certificate" if isinstance(error, ssl.SSLCertVerificationError) else "tls"
        raise LinkLostError(f"TLS on port {address[1]}: {tls_reason(error)}", code=code) from error
    except OSError as error:
        raise LinkLostError(f"TCP port {address[1]}: {_reason(error)}", code="refused") from error
    link.stream = stream
    link.local = stream.get_extra_info("sockname")[:2]
    return link


async def open_udp(*, to: Address | None = None, local: str | None = None) -> Link:
    """A UDP socket: connected, so that it hears when nobody listens there; or free, to hear from anybody.

    Raises LinkLostError.
    """
    link = _DatagramLink()
    where: dict[str, Any] = {"remote_addr": to} if to is not None else {"local_addr": (local, 0)}
    try:
        datagrams, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Datagrams(link), **where)
    except OSError as error:
        raise LinkLostError(f"UDP: {_reason(error)}", code="unreachable") from error
    link.datagrams = datagrams
    link.server = to
    link.local = datagrams.get_extra_info("sockname")[:2]
    return link


def outgoing_address(towards: Address) -> str:
    """The address of ours that packets to there leave from. Nothing is sent. Raises LinkLostError."""
    family = socket.AF_INET6 if ":" in towards[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(towards)
            return str(probe.getsockname()[0])
    except OSError as error:
        raise LinkLostError(f"no way to {towards[0]}: {_reason(error)}", code="unreachable") from error


def tls_reason(error: ssl.SSLError) -> str:
    """Why there was no TLS, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {error.verify_message}"
    return (error.reason or "the handshake failed").replace("_", " ").lower()


class _DatagramLink(Link):
    datagrams: asyncio.DatagramTransport
    server: Address | None

    def __init__(self) -> None:
        super().__init__("udp")

    def send(self, data: bytes, to: Address | None = None) -> None:
        self.datagrams.sendto(data, None if to == self.server else to)

    def close(self) -> None:
        self.datagrams.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, link: Link) -> None:
        self._link = link

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._link.on_packet(data, addr[:2])

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError):
            self._link.on_lost(LinkLostError("UDP: nobody listens on that port", code="refused"))
        # Other errors may pass: what was sent is sent again, and silence speaks for itself.


class _StreamLink(Link):
    stream: asyncio.Transport

    def send(self, data: bytes, to: Address | None = None) -> None:
        self.stream.write(data + bytes(-len(data) % 4))  # ChannelData is padded here (RFC 8656 §12.5)

    def close(self) -> None:
        self.stream.abort()


class _Stream(asyncio.Protocol):
    def __init__(self, link: _StreamLink) -> None:
        self._link = link
        self._buffer = b""
        self._server: Address = ("", 0)

    def connection_made(self, transport: Any) -> None:
        self._server = transport.get_extra_info("peername")[:2]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while (size := frame_size(self._buffer)) is not None and len(self._buffer) >= size:
                whole, self._buffer = self._buffer[:size], self._buffer[size:]
                self._link.on_packet(whole, self._server)
        except MalformedError as error:
            self._link.on_lost(LinkLostError(error.message, code=error.code))
            self._link.stream.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        rest = f" in the middle of a message ({len(self._buffer)} bytes of it came)" if self._buffer else ""
        self._link.on_lost(LinkLostError(f"the server closed the connection{rest}", code="closed"))


def frame_size(data: bytes) -> int | None:
    """How many bytes the first message of a stream takes; None: too few to tell. Raises MalformedError."""
    if not data:
        return None
    if data[0] >> 6 > 1:
        raise MalformedError(f"neither STUN nor ChannelData: it begins with 0x{data[0]:02x}")
    if len(data) < 4:
        return None
    length: int = struct.unpack_from("!H", data, 2)[0]
    if data[0] >> 6 == 1:
        return 4 + length + -length % 4
    return HEADER_BYTES + length


def _reason(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return (error.strerror or str(error)).lower()
