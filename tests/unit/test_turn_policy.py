"""Ways into the operator's network that other TURN servers have left open, tried here over real sockets.

Each was somebody's hole: CVE-2020-26262 (0.0.0.0, ::1, ::), CVE-2026-27624 (::ffff:127.0.0.1), and what embeds IPv4.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from client.turn import IPV4, IPV6, TurnClient
from client.turn_message import RELAYED, address_in
from peerline.engine import Engine
from peerline.turnserver import TurnServer, TurnSettings

RELAYS = [("127.0.0.1", "127.0.0.1"), ("::1", "::1")]
OWN = "198.18.0.9"  # the server's, as far as the policy knows
STRICT = TurnSettings(
    users=[("ann", "pass")],
    answers_per_second=None,
    own_addresses=["127.0.0.1", "::1", OWN],
    open_ports=[(20_000, 60_000)],
    closed_ports=[20_080, 20_443],
)

INSIDE = [
    "0.0.0.0",
    "0.0.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.19.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]
INSIDE_V6 = [
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:0.0.0.0",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "100::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    with Engine(shards=1) as engine:
        engine.attach(asyncio.get_running_loop())
        yield engine


class House:
    """A server, and clients with an allocation on it."""

    def __init__(self, engine: Engine, stack: AsyncExitStack) -> None:
        self.engine = engine
        self._stack = stack

    async def enter(self, settings: TurnSettings = STRICT, family: int = IPV4) -> TurnClient:
        server = TurnServer(self.engine, settings)
        ((_, _, port),) = server.listen([("udp", "127.0.0.1", 0)], RELAYS, (20_000, 60_000))
        client = await TurnClient.connect(("127.0.0.1", port), "ann", "pass")
        self._stack.callback(client.close)
        assert (await client.allocate(family))[0] == 0
        return client

    def relayed(self) -> int:
        return self.engine.stats().turn.relayed_up


@pytest.fixture
async def house(engine: Engine) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(engine, stack)


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(20)
        yield sock


@pytest.mark.parametrize("family", [IPV4, IPV6])
async def test_no_address_inside_gets_a_permission_a_channel_or_a_packet(house: House, family: int) -> None:
    ann = await house.enter(family=family)
    for number, host in enumerate([*INSIDE, *INSIDE_V6]):
        # 443: of the other family. A mapped address is an IPv4 address, also on an IPv6 relay.
        is_same = family == (IPV6 if host in INSIDE_V6 and not host.startswith("::ffff:") else IPV4)
        expected = 403 if is_same else 443
        assert await ann.permit((host, 50_000)) == expected, host
        assert await ann.bind(0x4000 + number, (host, 50_000)) == expected, host
        ann.send_to((host, 50_000), b"in")
        ann.send(struct.pack("!HH", 0x4000 + number, 2) + b"in")
    assert await ann.refresh() == 0, "the allocation is as good as ever"
    assert house.relayed() == 0


@pytest.mark.parametrize("family", [IPV4, IPV6])
async def test_the_internet_is_reached(house: House, family: int) -> None:
    ann = await house.enter(family=family)
    for number, host in enumerate(["8.8.8.8", "1.1.1.1"] if family == IPV4 else ["2606:4700::1", "2a00::1"]):
        assert await ann.permit((host, 50_000)) == 0
        assert await ann.bind(0x4000 + number, (host, 50_000)) == 0


async def test_a_permission_that_names_one_address_inside_gives_none(house: House) -> None:
    ann = await house.enter()
    both = [(0x12, ("8.8.8.8", 50_000)), (0x12, ("127.0.0.1", 50_000))]
    assert (await ann.ask(0x008, [*both]))[0] == 403
    ann.send_to(("8.8.8.8", 50_000), b"in")
    assert await ann.refresh() == 0
    assert house.relayed() == 0


@pytest.mark.parametrize("port", [0, 1, 22, 53, 80, 443, 1023])
async def test_ports_of_system_services_are_closed_everywhere(house: House, port: int) -> None:
    ann = await house.enter()
    assert await ann.permit(("8.8.8.8", 50_000)) == 0
    assert await ann.bind(0x4000, ("8.8.8.8", port)) in (400, 403)
    ann.send_to(("8.8.8.8", port), b"in")
    assert await ann.refresh() == 0
    assert house.relayed() == 0


@pytest.mark.parametrize("port", [20_080, 20_443, 3478, 61_000])
async def test_of_our_own_addresses_only_relays_are_reached_not_our_listeners(house: House, port: int) -> None:
    ann = await house.enter()
    assert await ann.permit((OWN, 50_000)) == 0, "a permission has no port"
    assert await ann.bind(0x4000, (OWN, port)) == 403
    ann.send_to((OWN, port), b"in")
    assert await ann.refresh() == 0
    assert house.relayed() == 0
    assert await ann.bind(0x4000, (OWN, 50_000)) == 0, "another client's relay"


async def test_our_listeners_stay_closed_on_a_network_that_the_operator_has_opened(
    house: House, peer: socket.socket
) -> None:
    closed = peer.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(20)
        settings = TurnSettings(
            users=[("ann", "pass")], answers_per_second=None, allow=["127.0.0.0/8"],
            own_addresses=["127.0.0.1"], closed_ports=[closed],
        )  # fmt: skip
        ann = await house.enter(settings)
        assert await ann.permit(("127.0.0.1", closed)) == 0
        assert await ann.bind(0x4000, ("127.0.0.1", closed)) == 403
        ann.send_to(("127.0.0.1", closed), b"in")
        ann.send_to(other.getsockname(), b"welcome")
        assert (await asyncio.to_thread(other.recvfrom, 100))[0] == b"welcome"
        assert house.relayed() == 1
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(100)


async def test_what_the_operator_denies_in_an_open_network_stays_shut(house: House) -> None:
    settings = TurnSettings(
        users=[("ann", "pass")],
        answers_per_second=None,
        allow=["192.168.1.0/24"],
        deny=["192.168.1.0", "192.168.1.255"],
    )
    ann = await house.enter(settings)
    assert await ann.permit(("192.168.1.7", 50_000)) == 0
    for everybody in ("192.168.1.0", "192.168.1.255"):
        assert await ann.permit((everybody, 50_000)) == 403


async def test_also_an_opened_network_takes_a_permission(house: House, peer: socket.socket) -> None:
    settings = TurnSettings(users=[("ann", "pass")], answers_per_second=None, allow=["127.0.0.0/8"])
    ann = await house.enter(settings)
    ann.send_to(peer.getsockname(), b"in")
    ann.send(struct.pack("!HH", 0x4000, 2) + b"in")
    assert await ann.refresh() == 0
    assert house.relayed() == 0


async def test_the_relayed_address_of_another_client_is_a_peer_like_any_other(house: House) -> None:
    settings = TurnSettings(
        users=[("ann", "pass")], answers_per_second=None, allow=["127.0.0.0/8"],
        own_addresses=["127.0.0.1"], open_ports=[(20_000, 60_000)],
    )  # fmt: skip
    ann, bob = await house.enter(settings), await house.enter(settings)
    relays = []
    for one in (ann, bob):
        assert await one.refresh(0) == 0
        _, found = await one.allocate()
        relays.append(address_in(found[RELAYED]))
    assert await ann.bind(0x4000, relays[1]) == 0
    assert await bob.bind(0x4000, relays[0]) == 0
    ann.send(struct.pack("!HH", 0x4000, 5) + b"hello")
    assert await bob.receive() == struct.pack("!HH", 0x4000, 5) + b"hello"
