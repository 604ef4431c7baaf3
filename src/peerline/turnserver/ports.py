"""Which ports a TURN server listens on, which of them are free, and which somebody else has."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Sequence

Listen = tuple[str, str, int]
"""Transport ("udp", "tcp" or "tls"), host and port."""

FLAGS = {"udp": "--turn-port", "tcp": "--turn-port", "tls": "--turn-tls-port", "alternate": "--turn-alternate"}


def endpoints(hosts: Sequence[str], port: int, tls_port: int | None) -> list[Listen]:
    """UDP and TCP on one port, TLS on its own unless that is None; the same on all hosts. 0 is a free port.

    Raises OSError if no port is free.
    """
    port = port or free_port(hosts, ("udp", "tcp"))
    if tls_port == 0:
        tls_port = free_port(hosts, ("tls",))
    wanted: list[Listen] = [(transport, host, port) for transport in ("udp", "tcp") for host in hosts]
    return wanted + ([("tls", host, tls_port) for host in hosts] if tls_port is not None else [])


def free_port(hosts: Sequence[str], transports: Sequence[str]) -> int:
    """A port that is free on all of these hosts for all of these transports. Raises OSError."""
    for _ in range(20):
        with contextlib.ExitStack() as held:
            port = 0
            try:
                for transport in transports:
                    for host in hosts:
                        probe = held.enter_context(_bound(transport, host, port))
                        port = probe.getsockname()[1]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return port
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def unavailable(wanted: Sequence[Listen]) -> dict[str, tuple[int, OSError]]:
    """The transports that cannot be had, each with a port and the reason."""
    found: dict[str, tuple[int, OSError]] = {}
    for transport, host, port in wanted:
        try:
            _bound(transport, host, port).close()
        except OSError as error:
            found.setdefault(transport, (port, error))
    return found


def reason(error: OSError) -> str:
    """What the system says, without an address."""
    return os.strerror(error.errno) if error.errno else str(error)


def _bound(transport: str, host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)[0]
    sock = socket.socket(family, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if transport != "udp":
            # Connections that are over still hold the port for a minute, and hinder nobody.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        if transport != "udp":
            sock.listen(1)
    except OSError:
        sock.close()
        raise
    return sock
