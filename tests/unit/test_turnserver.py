"""The TURN server over real UDP on loopback, seen by a small client of its own (RFC 8656, RFC 8489)."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from client.turn import ALLOCATE, DATA_INDICATION, TRANSPORT, TurnClient
from client.turn_message import DATA, LIFETIME, PEER, RELAYED, address_in, attributes_of
from peerline.config import Config
from peerline.engine import Engine
from peerline.errors import ConfigError
from peerline.turnserver import Quotas, TurnServer, TurnSettings, make_credentials
from peerline.turnserver.addresses import (
    check_networks,
    own_addresses,
    parse_external,
    parse_ports,
    relay_addresses,
)  # fmt: skip
from peerline.turnserver.configured import shards_of

SECRET = b"a secret of this test, of no other use"
LOOPBACK = TurnSettings(secrets=[SECRET], users=[("ann", "pass")], allow=["127.0.0.0/8"], answers_per_second=None)
Come = Callable[..., Any]


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    with Engine(shards=2) as engine:
        engine.attach(asyncio.get_running_loop())
        yield engine


@pytest.fixture
async def come(engine: Engine) -> AsyncIterator[Come]:
    """Start a server and come in as a client: `server, client = await come(settings)`."""
    opened: list[TurnClient] = []
    servers: dict[int, tuple[TurnServer, int]] = {}

    async def enter(
        settings: TurnSettings = LOOPBACK, username: str = "ann", password: str = "pass", **more: Any
    ) -> tuple[TurnServer, TurnClient]:
        if id(settings) not in servers:
            server = TurnServer(engine, settings, **more)
            ((_, _, port),) = server.listen([("udp", "127.0.0.1", 0)], [("127.0.0.1", "127.0.0.1")], (20_000, 60_000))
            servers[id(settings)] = server, port
        server, port = servers[id(settings)]
        client = await TurnClient.connect(("127.0.0.1", port), username, password)
        opened.append(client)
        return server, client

    yield enter
    for client in opened:
        client.close()


@pytest.fixture
def peer() -> Any:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        yield sock


async def test_what_a_client_sends_reaches_its_peer_and_comes_back(come: Come, engine: Engine, peer: Any) -> None:
    _, ann = await come()
    status, found = await ann.allocate()
    assert status == 0
    relayed = address_in(found[RELAYED])
    assert 20_000 <= relayed[1] <= 60_000
    assert struct.unpack("!I", found[LIFETIME]) == (600,)

    where = peer.getsockname()
    assert await ann.permit(where) == 0
    ann.send_to(where, b"hello")
    assert await asyncio.to_thread(peer.recvfrom, 100) == (b"hello", relayed)
    peer.sendto(b"welcome", relayed)
    indication = await ann.receive()
    assert struct.unpack_from("!H", indication) == (DATA_INDICATION,)
    assert attributes_of(indication)[DATA] == b"welcome"
    assert address_in(attributes_of(indication)[PEER]) == peer.getsockname()

    assert await ann.bind(0x4001, where) == 0
    ann.send(struct.pack("!HH", 0x4001, 3) + b"abc")
    assert (await asyncio.to_thread(peer.recvfrom, 100))[0] == b"abc"
    peer.sendto(b"de", relayed)
    assert await ann.receive() == struct.pack("!HH", 0x4001, 2) + b"de"
    turn = engine.stats().turn
    assert (turn.relayed_up, turn.relayed_down, turn.panics) == (2, 2, 0)


async def test_time_limited_credentials_are_good_until_they_expire(come: Come) -> None:
    import time

    good = make_credentials(SECRET, "bob", now_s=time.time(), ttl_s=60)
    old = make_credentials(SECRET, "bob", now_s=time.time() - 120, ttl_s=60)
    forged = make_credentials(b"another", "bob", now_s=time.time(), ttl_s=60)
    assert good.password not in repr(good)
    for credentials, expected in ((good, 0), (old, 401), (forged, 401)):
        _, bob = await come(LOOPBACK, credentials.username, credentials.password)
        assert (await bob.allocate())[0] == expected


async def test_allocations_are_seen_kicked_and_counted(come: Come, peer: Any) -> None:
    server, ann = await come()
    await ann.allocate()
    await ann.permit(peer.getsockname())
    ann.send_to(peer.getsockname(), b"12345")
    await asyncio.to_thread(peer.recvfrom, 100)
    (row,) = await server.allocations()
    assert (row.username, row.transport, row.permissions, row.channels) == ("ann", "udp", 1, 0)
    assert row.client == "{}:{}".format(*ann.address)
    assert await server.kick("nobody") == 0
    assert await server.kick("ann") == 1
    async with asyncio.timeout(10):
        while await server.allocations():
            pass
    assert (server.usage["ann"].allocations, server.usage["ann"].bytes_up) == (1, 5)
    assert await ann.refresh() == 437


async def test_quotas_hold_for_the_person_not_for_the_expiry(come: Come) -> None:
    import time

    settings = TurnSettings(secrets=[SECRET], quotas=Quotas(allocations=2), answers_per_second=None)
    statuses = []
    for ttl_s in (60, 61, 62):
        made = make_credentials(SECRET, "bob", now_s=time.time(), ttl_s=ttl_s)
        _, bob = await come(settings, made.username, made.password)
        statuses.append((await bob.allocate())[0])
    assert statuses == [0, 0, 486]


async def test_new_settings_are_for_those_who_come_later(come: Come) -> None:
    server, ann = await come()
    assert (await ann.allocate())[0] == 0
    server.reload(TurnSettings(users=[("bob", "word")], answers_per_second=None))
    _, late = await come(LOOPBACK, "ann", "pass")
    assert (await late.allocate())[0] == 401
    assert await ann.refresh() == 0, "who is in stays in"
    server.drain()
    _, bob = await come(LOOPBACK, "bob", "word")
    assert (await bob.allocate())[0] == 508
    assert await ann.refresh() == 0


@pytest.mark.parametrize("answer", [True, False])
async def test_the_owner_decides_who_may_allocate(come: Come, answer: bool) -> None:
    asked = []

    async def decides(name: str) -> bool:
        asked.append(name)
        return answer

    settings = TurnSettings(users=[("ann", "pass")], answers_per_second=None)
    _, ann = await come(settings, decides=decides)
    assert (await ann.allocate())[0] == (0 if answer else 403)
    assert asked == ["ann"]


async def test_a_decision_that_fails_is_a_no(come: Come) -> None:
    async def decides(name: str) -> bool:
        raise OSError("the directory is away")

    settings = TurnSettings(users=[("ann", "pass")], answers_per_second=None)
    _, ann = await come(settings, decides=decides)
    assert (await ann.allocate())[0] == 403


async def test_a_decision_that_never_comes_is_a_no_and_is_waited_for_no_longer(
    come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peerline.turnserver.server.DECIDED_WITHIN_S", 0.01)
    given_up = asyncio.Event()

    async def decides(name: str) -> bool:
        try:
            await asyncio.Event().wait()
            return True
        finally:
            given_up.set()

    settings = TurnSettings(users=[("ann", "pass")], answers_per_second=None)
    _, ann = await come(settings, decides=decides)
    assert (await ann.allocate())[0] == 403
    assert given_up.is_set()


@pytest.mark.parametrize("settings", [{"allow": ["nonsense"]}, {"own_addresses": ["localhost"]}])
async def test_settings_that_make_no_sense_are_refused(engine: Engine, settings: dict[str, Any]) -> None:
    server = TurnServer(engine, TurnSettings(**settings))
    with pytest.raises(ValueError, match=r"network|address"):
        server.listen([("udp", "127.0.0.1", 0)], [], (1, 2))


@pytest.mark.parametrize("realm", ["", "x" * 33, "zürich", "a\tb", 'a"b', "a\\b"])
def test_a_realm_that_cannot_be_told_is_refused(realm: str) -> None:
    with pytest.raises(ConfigError, match="realm") as refused:
        TurnSettings(realm=realm)
    assert refused.value.hint


def test_secrets_are_in_no_repr() -> None:
    assert "a secret" not in repr(LOOPBACK)
    assert "pass" not in repr(LOOPBACK)


def test_addresses() -> None:
    assert {"127.0.0.1", "::1"} <= set(own_addresses())
    assert relay_addresses(["127.0.0.1"], ()) == [("127.0.0.1", "127.0.0.1")]
    assert relay_addresses(["127.0.0.1", "192.0.2.7"], ()) == [("192.0.2.7", "192.0.2.7")]
    assert relay_addresses(["192.0.2.7"], ("203.0.113.9",)) == [("192.0.2.7", "203.0.113.9")]
    assert relay_addresses(["0.0.0.0"], ("203.0.113.9/192.0.2.8",)) == [("192.0.2.8", "203.0.113.9")]
    assert parse_ports("49152-65535") == (49152, 65535)
    for refused in ("", "5", "9-5", "0-9", "1-65536", "a-b"):
        with pytest.raises(ConfigError):
            parse_ports(refused)
    for refused in ("", "example.org", "203.0.113.9/::1", "203.0.113.9/x"):
        with pytest.raises(ConfigError):
            parse_external(refused)
    with pytest.raises(ConfigError):
        check_networks(("10.0.0.0/33",))


def test_mobility_takes_one_shard() -> None:
    config = Config(turn_mobility=True)
    assert shards_of(config) == shards_of(config, 1) == 1
    assert (shards_of(Config(), 3), shards_of(Config())) == (3, None)
    with pytest.raises(ConfigError, match="one shard"):
        shards_of(config, 2)


async def test_several_shards_offer_no_mobility() -> None:
    for shards, expected in ((1, 0), (2, 405)):
        with Engine(shards) as engine:
            engine.attach(asyncio.get_running_loop())
            server = TurnServer(engine, dataclasses.replace(LOOPBACK, mobility=True))
            ((_, _, port),) = server.listen([("udp", "127.0.0.1", 0)], [("127.0.0.1", "127.0.0.1")], (20_000, 60_000))
            client = await TurnClient.connect(("127.0.0.1", port), "ann", "pass")
            await client.ask(ALLOCATE, [])  # for the nonce
            status, _ = await client.ask(ALLOCATE, [(TRANSPORT, bytes([17, 0, 0, 0])), (0x8030, b"")])
            assert status == expected
            client.close()
