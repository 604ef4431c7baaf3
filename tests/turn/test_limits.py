"""As much as there is and no more: ports, descriptors, permissions, channels, allocations of one user."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from client.turn import TurnClient
from client.turn_message import RELAYED, address_in
from peerline.turnserver import make_credentials
from turn.conftest import ANN, SECRET, Come, Echo, Serve, Server, relays

MORE = 16 << 20


@pytest.fixture
async def crowd() -> AsyncIterator[list[TurnClient]]:
    clients: list[TurnClient] = []
    yield clients
    for client in clients:
        client.close()


async def ask_for(
    server: Server, count: int, crowd: list[TurnClient], name: str = "ann", word: str = "pass"
) -> Counter[int]:
    """So many clients ask for an allocation; by status."""
    address = server.address("udp")
    statuses: Counter[int] = Counter()
    for _ in range(count):
        crowd.append(await TurnClient.connect(address, name, word))
        statuses[(await crowd[-1].allocate())[0]] += 1
    return statuses


async def ask_and_go(server: Server, count: int) -> Counter[int]:
    """The same from one port after another, each of which is given back at once."""
    address, statuses = server.address("udp"), Counter[int]()
    for _ in range(count):
        client = await TurnClient.connect(address, "ann", "pass")
        statuses[(await client.allocate())[0]] += 1
        client.close()
    return statuses


async def test_when_all_ports_are_taken_the_next_one_gets_508(
    serve: Serve, crowd: list[TurnClient], echo: Echo
) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "2", "--relay-ports", "11000-11009")
    assert await ask_for(server, 30, crowd) == {0: 10, 508: 20}
    assert await crowd[0].refresh(0) == 0
    status, found = await crowd[-1].allocate()
    assert status == 0
    assert 11_000 <= address_in(found[RELAYED])[1] <= 11_009
    await relays(crowd[-1], echo)


@pytest.mark.parametrize("count", [2_000, pytest.param(65_536, marks=pytest.mark.long)])
async def test_however_many_are_asked_for_the_server_goes_on(
    serve: Serve, crowd: list[TurnClient], echo: Echo, count: int
) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "2", "--relay-ports", "12000-12899")
    statuses = await ask_and_go(server, 1_000)
    before = server.memory_bytes()
    statuses += await ask_and_go(server, count - 1_000)
    assert statuses[0] >= 900
    assert set(statuses) <= {0, 508, 437}, "437: of a port that came around again"
    assert server.memory_bytes() - before < MORE
    await ask_for(server, 1, crowd)
    assert await crowd[0].permit(echo.address) in (0, 437)


async def test_one_user_gets_ten_from_all_transports_together(
    serve: Serve, come: Come, crowd: list[TurnClient]
) -> None:
    server = serve(*ANN, "--rest-secret", SECRET, "--no-limits", "--shards", "2")
    statuses: Counter[int] = Counter()
    for number in range(18):
        # Other expiries are no other user.
        made = make_credentials(SECRET.encode(), "guest", now_s=time.time(), ttl_s=60 + number)
        client = await come(server, ("udp", "tcp", "tls")[number % 3], made.username, made.password)
        statuses[(await client.allocate())[0]] += 1
    assert statuses == {0: 10, 486: 8}
    assert await ask_for(server, 20, crowd) == {0: 20}, "nobody else notices"


async def test_permissions_and_channels_of_a_guest_are_bounded(serve: Serve, come: Come) -> None:
    server = serve("--rest-secret", SECRET, "--allow-peer", "127.0.0.0/8")
    made = make_credentials(SECRET.encode(), "guest", now_s=time.time(), ttl_s=60)
    guest = await come(server, "udp", made.username, made.password)
    assert (await guest.allocate())[0] == 0
    permitted = [await guest.permit((f"127.0.9.{number}", 15_000)) for number in range(1, 200)]
    assert set(permitted) == {0, 508}
    assert permitted.count(0) <= 64
    bound = [await guest.bind(0x4000 + number, ("127.0.9.1", 15_000 + number)) for number in range(100)]
    assert bound == [0] * 64 + [508] * 36
    assert await guest.bind(0x4000, ("127.0.9.1", 15_000)) == 0, "to renew one needs no room"


async def test_without_descriptors_there_is_no_relay_and_then_there_is_one(
    serve: Serve, come: Come, crowd: list[TurnClient], echo: Echo
) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "1")
    await asyncio.to_thread(server.address, "tls")
    server.limit_descriptors(64)
    statuses = await ask_for(server, 80, crowd)
    assert set(statuses) == {0, 508}
    assert statuses[0] >= 20
    await relays(crowd[0], echo)
    assert await crowd[1].refresh(0) == 0
    assert (await crowd[-1].allocate())[0] == 0
    assert (await crowd[-2].allocate())[0] == 508
    for client in crowd[:20]:
        await client.refresh(0)
    await relays(crowd[-1], echo)


@pytest.mark.parametrize("stream", ["tcp", "tls"])
async def test_without_descriptors_streams_are_not_accepted_and_then_they_are(
    serve: Serve, come: Come, crowd: list[TurnClient], echo: Echo, stream: str
) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "1")
    await asyncio.to_thread(server.address, "tls")
    server.limit_descriptors(64)
    await ask_for(server, 80, crowd)
    waiting = asyncio.ensure_future(come(server, stream))
    assert await crowd[0].refresh() == 0, "who is in notices nothing"
    for client in crowd[1:10]:
        assert await client.refresh(0) == 0
    late = await waiting
    assert (await late.allocate())[0] == 0
    await relays(late, echo)
