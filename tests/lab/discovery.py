"""What a NAT is, found out from outside with plain datagrams (RFC 5780 §4.3 mapping, §4.4 filtering)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.worlds import Address, Endpoint, World
from peerline.lab import Dependence

PORTS = (5000, 5001)


@dataclass(frozen=True)
class Server:
    """Two addresses with two ports each."""

    here: Endpoint
    other_port: Endpoint
    other_address: Endpoint
    all_other: Endpoint

    @classmethod
    def start(cls, world: World) -> Server:
        host = world.net.host("server", addresses=2)
        return cls(*(world.open(host, port, address) for address in host.addresses for port in PORTS))


def public_address(endpoint: Endpoint, server: Endpoint) -> Address | None:
    """How the server sees the endpoint; None if nothing gets there."""
    endpoint.send(b"who am I?", server.address)
    received = server.receive()
    return received[1] if received else None


def mapping_of(world: World, host: Any, server: Server) -> Dependence | None:
    """On what the public port of one socket depends; None where nothing passes."""
    endpoint = world.open(host)
    first = public_address(endpoint, server.here)
    if first is None:
        return None
    if public_address(endpoint, server.all_other) == first and public_address(endpoint, server.other_port) == first:
        return Dependence.ENDPOINT_INDEPENDENT
    if public_address(endpoint, server.other_port) == first:
        return Dependence.ADDRESS_DEPENDENT
    return Dependence.ADDRESS_AND_PORT_DEPENDENT


def filtering_of(world: World, host: Any, server: Server) -> Dependence | None:
    """Who may send to a socket that has sent to `server.here` alone; None where nothing passes."""
    endpoint = world.open(host)
    public = public_address(endpoint, server.here)
    if public is None:
        return None
    server.all_other.send(b"a stranger", public)
    server.other_port.send(b"the same address", public)
    server.here.send(b"the last", public)  # comes in wherever anything does, and behind the others
    heard: list[bytes] = []
    while not heard or heard[-1] != b"the last":
        received = endpoint.receive()
        assert received is not None, "not even who was sent to may answer"
        heard.append(received[0])
    if b"a stranger" in heard:
        return Dependence.ENDPOINT_INDEPENDENT
    return Dependence.ADDRESS_DEPENDENT if b"the same address" in heard else Dependence.ADDRESS_AND_PORT_DEPENDENT
