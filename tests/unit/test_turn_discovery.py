"""Behaviour discovery (RFC 5780): what `--turn-alternate` says, and from where a client is answered."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterator

import pytest

from client.turn import BINDING
from client.turn_message import COOKIE, ERROR_CODE, attributes_of
from peerline.engine import Engine
from peerline.errors import ConfigError
from peerline.turnserver import TurnServer, TurnSettings
from peerline.turnserver.discovery import Discovery, discoveries, listeners, parse_alternates
from peerline.turnserver.opening import Wanted, open_turn

CHANGE_REQUEST, RESPONSE_ORIGIN, OTHER_ADDRESS = 0x0003, 0x802B, 0x802C
CHANGE_IP, CHANGE_PORT = 4, 2
LOOPBACK = [("127.0.0.1", "127.0.0.1")]


def test_an_alternate_is_an_address_perhaps_a_port_and_perhaps_what_is_behind_it() -> None:
    for text, expected in {
        "192.0.2.2": ("192.0.2.2", "192.0.2.2", None),
        "192.0.2.2:3490": ("192.0.2.2", "192.0.2.2", 3490),
        "192.0.2.2/10.0.0.2": ("192.0.2.2", "10.0.0.2", None),
        "192.0.2.2/10.0.0.2:3490": ("192.0.2.2", "10.0.0.2", 3490),
        "2001:db8::2": ("2001:db8::2", "2001:db8::2", None),
        "[2001:db8::2]": ("2001:db8::2", "2001:db8::2", None),
        "[2001:db8::2]:3490": ("2001:db8::2", "2001:db8::2", 3490),
    }.items():
        (found,) = parse_alternates([text])
        assert (str(found.public), str(found.private), found.port) == expected


@pytest.mark.parametrize(
    "texts",
    [
        [""],
        ["example.org"],
        ["192.0.2"],
        ["192.0.2.2:0"],
        ["192.0.2.2:65536"],
        ["192.0.2.2:http"],
        ["192.0.2.2/2001:db8::2"],
        ["[2001:db8::2"],
        ["[2001:db8::2]3490"],
        ["192.0.2.2", "192.0.2.3"],
    ],
)
def test_what_is_no_alternate_is_a_clear_error(texts: list[str]) -> None:
    with pytest.raises(ConfigError, match="turn_alternate") as caught:
        parse_alternates(texts)
    assert caught.value.hint


def test_the_four_addresses_are_two_by_two() -> None:
    (found,) = discoveries(parse_alternates(["192.0.2.2/10.0.0.2"]), [("10.0.0.1", "192.0.2.1")], 3478)
    assert found == Discovery((("10.0.0.1", "192.0.2.1"), ("10.0.0.2", "192.0.2.2")), (3478, 3479))
    assert set(listeners([found], ["10.0.0.1"], 3478)) == {
        ("udp", "10.0.0.1", 3479),
        ("udp", "10.0.0.2", 3478),
        ("udp", "10.0.0.2", 3479),
    }
    assert listeners([found], ["0.0.0.0"], 3478) == [("udp", "0.0.0.0", 3479)]


@pytest.mark.parametrize(
    ("text", "relays"),
    [
        ("127.0.0.1", LOOPBACK),
        ("127.0.0.2:3478", LOOPBACK),
        ("2001:db8::2", LOOPBACK),
    ],
)
def test_an_alternate_without_a_first_address_or_the_same_as_it_is_refused(
    text: str, relays: list[tuple[str, str]]
) -> None:
    with pytest.raises(ConfigError, match="turn_alternate"):
        discoveries(parse_alternates([text]), relays, 3478)
    with pytest.raises(ConfigError, match="65536"):
        discoveries(parse_alternates(["127.0.0.2"]), LOOPBACK, 65535)


@pytest.fixture
def asking() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(20)
        yield sock


def change_request(flags: int) -> bytes:
    return struct.pack("!HHI12sHHI", BINDING, 8, COOKIE, os.urandom(12), CHANGE_REQUEST, 4, flags)


def plain(value: bytes) -> tuple[str, int]:
    """An address in the clear (RFC 8489 §14.1)."""
    _, family, port = struct.unpack_from("!BBH", value)
    assert family == 1
    return socket.inet_ntoa(value[4:]), port


async def test_a_client_is_answered_from_the_address_and_port_it_asks_for(asking: socket.socket) -> None:
    with Engine(shards=2) as engine:
        engine.attach(asyncio.get_running_loop())
        settings = TurnSettings(users=[("ann", "pass")], answers_per_second=None)
        server = TurnServer(engine, settings)
        alternates = parse_alternates(["127.0.0.2"])
        wanted = Wanted(["127.0.0.1"], 0, 0, None, LOOPBACK, (20_000, 60_000), alternates)
        opened = open_turn(server, wanted, needs_all=True)
        assert not opened.refused
        port = opened.port("udp")
        assert port is not None
        server.reload(TurnSettings(users=[("ann", "pass")], answers_per_second=None, discovery=list(opened.discovery)))
        await server.allocations()  # by now the settings are in force
        for flags, expected in (
            (0, ("127.0.0.1", port)),
            (CHANGE_IP, ("127.0.0.2", port)),
            (CHANGE_PORT, ("127.0.0.1", port + 1)),
            (CHANGE_IP | CHANGE_PORT, ("127.0.0.2", port + 1)),
        ):
            asking.sendto(change_request(flags), ("127.0.0.1", port))
            answer, origin = await asyncio.to_thread(asking.recvfrom, 1000)
            found = attributes_of(answer)
            assert (origin, plain(found[RESPONSE_ORIGIN])) == (expected, expected)
            assert plain(found[OTHER_ADDRESS]) == ("127.0.0.2", port + 1)


async def test_without_an_alternate_a_change_is_420(asking: socket.socket) -> None:
    with Engine(shards=1) as engine:
        engine.attach(asyncio.get_running_loop())
        server = TurnServer(engine, TurnSettings(users=[("ann", "pass")]))
        ((_, host, port),) = server.listen([("udp", "127.0.0.1", 0)], LOOPBACK, (20_000, 60_000))
        asking.sendto(change_request(CHANGE_IP), (host, port))
        answer, _ = await asyncio.to_thread(asking.recvfrom, 1000)
        assert attributes_of(answer)[ERROR_CODE][2:4] == bytes([4, 20])


async def test_an_address_that_is_not_ours_costs_discovery_alone() -> None:
    with Engine(shards=1) as engine:
        engine.attach(asyncio.get_running_loop())
        server = TurnServer(engine, TurnSettings(users=[("ann", "pass")]))
        alternates = parse_alternates(["192.0.2.99"])
        wanted = Wanted(["127.0.0.1"], 0, 0, None, LOOPBACK, (20_000, 60_000), alternates)
        opened = open_turn(server, wanted, needs_all=False)
        assert (set(opened.refused), list(opened.discovery)) == ({"alternate"}, [])
        assert [kind for kind, _, _ in opened.addresses] == ["udp", "tcp"]
