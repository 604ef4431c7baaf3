"""Addresses of STUN and TURN servers as clients are told them (RFC 7064, RFC 7065)."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass
from typing import Literal

from peerline.doctor.stun.address import Address
from peerline.doctor.stun.errors import LinkLostError
from peerline.errors import ConfigError

Transport = Literal["udp", "tcp", "tls"]
TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp", "tls")

_FORM = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\[\]:?/@]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
_HINT = "For example turn:example.org:3478, turn:example.org?transport=tcp or turns:example.org:5349."


@dataclass(frozen=True, slots=True)
class IceUrl:
    """Where a server is and how it is spoken to."""

    is_turn: bool
    host: str
    port: int
    transport: Transport

    def __str__(self) -> str:
        scheme = ("turn" if self.is_turn else "stun") + ("s" if self.transport == "tls" else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}:{host}:{self.port}" + ("?transport=tcp" if self.transport == "tcp" else "")

    async def resolve(self) -> Address:
        """IP address and port. Raises LinkLostError."""
        return await resolve(self.host, self.port)


def parse_url(text: str) -> IceUrl:
    """Raises ConfigError. TLS over UDP, which is DTLS, is spoken by nobody and refused."""
    match = _FORM.fullmatch(text)
    if match is None or not 0 < int(match["port"] or 1) < 65536:
        raise ConfigError(f"{text!r} is no address of a STUN or TURN server", hint=_HINT)
    is_secure = match["scheme"].endswith("s")
    if is_secure and match["transport"] == "udp":
        raise ConfigError(f"{text!r}: TLS goes over TCP", hint=_HINT)
    transport: Transport = "tls" if is_secure else "tcp" if match["transport"] == "tcp" else "udp"
    port = int(match["port"] or (5349 if is_secure else 3478))
    return IceUrl(match["scheme"].startswith("turn"), match["host"].strip("[]"), port, transport)


async def resolve(host: str, port: int) -> Address:
    """The address that is tried first: IPv4 where there are both. Raises LinkLostError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise LinkLostError(
            f"no address is known for {host}: {(error.strerror or str(error)).lower()}", code="dns",
            hint="Check the name, and the DNS server of this machine.",
        ) from error  # fmt: skip
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0]), port
