"""Which addresses of this host candidates are gathered on, and where servers are (RFC 8445, section 5.1.1)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time

import ifaddr

from peerline.webrtc.tuning import Tuning

RESOLVE_TIMEOUT_S = 5.0
# Who opens a hundred connections at once asks the system once.
_KNOWN_FOR_S = 1.0

_known: tuple[float, list[tuple[str, str]], list[str]] = (-_KNOWN_FOR_S, [], [])


def local_addresses(tuning: Tuning) -> list[str]:
    """Those of all interfaces but loopback and link-local ones; loopback where there is nothing else.

    `tuning.interfaces` decides instead, if it is given.
    """
    global _known
    now = time.monotonic()
    if now - _known[0] >= _KNOWN_FOR_S:
        found = _all_addresses()
        _known = now, found, _usual([ip for _, ip in found])
    if tuning.interfaces is not None:
        return [ip for name, ip in _known[1] if tuning.interfaces(name, ip)]
    return list(_known[2])


def _all_addresses() -> list[tuple[str, str]]:
    """With the names of their interfaces."""
    found: list[tuple[str, str]] = []
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            ip = address.ip if isinstance(address.ip, str) else address.ip[0]
            found.append((adapter.nice_name, ip.partition("%")[0]))
    return found


def _usual(addresses: list[str]) -> list[str]:
    parsed = [ipaddress.ip_address(ip) for ip in addresses]
    usable = [ip for ip in parsed if not (ip.is_loopback or ip.is_link_local or ip.is_unspecified)]
    return [str(ip) for ip in usable or [ip for ip in parsed if ip.is_loopback]]


async def server_addresses(host: str, port: int) -> list[str]:
    """Of a server's name, both families; empty if nobody knows it."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError, UnicodeError):
        return []
    return list(dict.fromkeys(str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found))
