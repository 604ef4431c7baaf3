"""The relay is no door into the operator's network: what is inside stays out of reach (RFC 8656 §21.1.5)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest

from client.turn import CREATE_PERMISSION, IPV6, TurnClient
from client.turn_message import PEER, RELAYED, Address, address_in
from peerline.turnserver.addresses import own_addresses
from turn.conftest import ANN, Come, Echo, Serve, Server, udp_socket

INSIDE = [
    "0.0.0.0", "0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
INSIDE_IPV6 = [
    "::", "::1", "::7f00:1", "::a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
    "2001:db8::1", "2001::1", "2002:7f00:1::1", "2002:a00:1::", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = ("--user", "ann:pass", "--no-limits")


async def try_everything(client: TurnClient, peer: Address, refused: set[int]) -> None:
    """Every way that there is to reach a peer."""
    assert await client.permit(peer) in refused, peer
    assert await client.bind(0x4000, peer) in refused, peer
    client.send_to(peer, b"you should not hear this")
    client.send(b"\x40\0\0\4this")
    assert (await client.ask(CREATE_PERMISSION, [(PEER, ("8.8.8.8", 5000)), (PEER, peer)]))[0] in {*refused, 443}


async def test_no_address_inside_is_reached_by_default(serve: Serve, come: Come, kind: str) -> None:
    ann = await come(serve(*PUBLIC), kind)
    assert (await ann.allocate())[0] == 0
    with udp_socket() as inside:
        for host in INSIDE:
            await try_everything(ann, (host, inside.getsockname()[1]), {403})
            await try_everything(ann, (f"::ffff:{host}", inside.getsockname()[1]), {403})
        for host in INSIDE_IPV6:
            await try_everything(ann, (host, inside.getsockname()[1]), {443})
        assert await ann.refresh() == 0
        inside.setblocking(False)
        with pytest.raises(BlockingIOError):
            inside.recv(100)
    assert await ann.permit(("8.8.8.8", 5000)) == 0


async def test_nor_from_a_relay_of_ipv6(serve: Serve, come: Come) -> None:
    ann = await come(serve(*PUBLIC, "--host", "::1"))
    assert (await ann.allocate(IPV6))[0] == 0
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as inside:
        inside.bind(("::1", 0))
        for host in INSIDE_IPV6:
            assert await ann.permit((host, inside.getsockname()[1])) == 403, host
            assert await ann.bind(0x4000, (host, inside.getsockname()[1])) == 403, host
            ann.send_to((host, inside.getsockname()[1]), b"you should not hear this")
        assert await ann.refresh() == 0
        inside.setblocking(False)
        with pytest.raises(BlockingIOError):
            inside.recv(100)
    assert await ann.permit(("2606:4700::1", 5000)) == 0


async def test_our_own_listeners_are_shut_also_where_loopback_is_open(shared: Server, come: Come, kind: str) -> None:
    ann = await come(shared, kind)
    assert (await ann.allocate())[0] == 0
    for listener in ("udp", "tls"):
        port = shared.address(listener)[1]
        for host in ("127.0.0.1", "::ffff:127.0.0.1"):
            assert await ann.bind(0x4000, (host, port)) == 403
            assert await ann.permit((host, port)) == 0, "a permission has no port"
            ann.send_to((host, port), bytes.fromhex("000100002112a442") + bytes(12))
    assert await ann.refresh() == 0, "nothing came back, or this would not be the next thing to come"


async def test_of_our_own_address_no_port_is_open_but_those_of_relays(serve: Serve, come: Come) -> None:
    ours = [one for one in own_addresses() if not ipaddress.ip_address(one).is_loopback and ":" not in one]
    if not ours:
        pytest.skip("this host has no address but loopback")
    ann = await come(serve(*PUBLIC, "--relay-ports", "13000-13099"))
    assert (await ann.allocate())[0] == 0
    with udp_socket(ours[0]) as service:
        assert await ann.permit(service.getsockname()) == 0, "a permission has no port"
        assert await ann.bind(0x4000, service.getsockname()) == 403
        ann.send_to(service.getsockname(), b"you should not hear this")
        assert await ann.refresh() == 0
        service.setblocking(False)
        with pytest.raises(BlockingIOError):
            service.recv(100)


async def test_the_relay_of_another_is_reached(shared: Server, come: Come, kind: str) -> None:
    ann, bob = await come(shared, kind), await come(shared, "udp", "bob", "word")
    places = []
    for client in (ann, bob):
        status, found = await client.allocate()
        assert status == 0
        places.append(address_in(found[RELAYED]))
    assert await ann.bind(0x4000, places[1]) == 0
    assert await bob.bind(0x4001, places[0]) == 0
    ann.send(b"\x40\0\0\5hello")
    assert await bob.receive() == b"\x40\1\0\5hello"


async def test_a_thousand_clients_have_one_peer_and_each_hears_its_own(serve: Serve, come: Come, echo: Echo) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "2")
    clients = [await come(server) for _ in range(1_000)]

    async def speak(client: TurnClient, number: int) -> None:
        assert (await client.allocate())[0] == 0
        assert await client.bind(0x4000, echo.address) == 0
        said = b"\x40\0\0\4" + number.to_bytes(4, "big")
        client.send(said)
        assert await client.receive() == said

    for first in range(0, len(clients), 50):
        await asyncio.gather(*(speak(clients[number], number) for number in range(first, first + 50)))
    assert len(echo.received) == len(set(echo.received)) == len(clients)


async def test_a_peer_without_permission_is_not_heard(shared: Server, come: Come, kind: str) -> None:
    ann = await come(shared, kind)
    status, found = await ann.allocate()
    assert status == 0
    relayed = address_in(found[RELAYED])
    with udp_socket("127.0.0.2") as stranger, udp_socket("127.0.0.3") as friend:
        assert await ann.permit(friend.getsockname()) == 0
        for _ in range(10):
            stranger.sendto(b"knock", relayed)
        friend.sendto(b"hello", relayed)
        assert b"hello" in await ann.receive()
        ann.send_to(stranger.getsockname(), b"come in")
        assert await ann.refresh() == 0
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(100)


async def test_an_operator_who_opens_loopback_opens_all_of_it_and_nothing_else(serve: Serve, come: Come) -> None:
    ann = await come(serve(*ANN, "--no-limits"))
    assert (await ann.allocate())[0] == 0
    assert await ann.permit(("127.9.9.9", 5000)) == 0
    for host in INSIDE:
        if not host.startswith("127."):
            assert await ann.permit((host, 5000)) == 403, host
    six = await come(serve(*ANN, "--no-limits", "--host", "::1"))
    assert (await six.allocate(IPV6))[0] == 0
    assert await six.bind(0x4000, ("::1", 50_000)) == 0
    assert await six.permit(("::", 50_000)) == 403
