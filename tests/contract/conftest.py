"""Fixtures of the contract suite: a door, and people who come in through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from client import Client, Kind
from contract.doors import WAYS, Door, Way, database_url, door_to, server_for
from system.server_process import ServerProcess

# Short enough to wait for, long enough that a test which resumes at once is never too late.
TIMES = {"linger_s": 2.0}

Join = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[bool, str], ServerProcess]]:
    """The servers that tests share, by whether they are mounted and by store."""
    servers: dict[tuple[bool, str], ServerProcess] = {}
    yield servers
    for server in servers.values():
        server.end()
    for (is_mounted, _), server in servers.items():
        # The server we are mounted in has words of its own for clients that send no UTF-8.
        trouble = "Exception in ASGI application" if is_mounted else "Traceback"
        assert trouble not in server.printed(), server.printed()


@pytest.fixture(scope="session", params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


@pytest.fixture
def store(way: Way) -> str:
    return way.store


@pytest.fixture
async def door(
    way: Way,
    running: dict[tuple[bool, str], ServerProcess],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Door]:
    """A door to a server that other tests use too (names are made unique by `join`), unless it asks for its own."""
    is_shared = "own_door" not in request.fixturenames
    key = (way.door.mounted, way.store)
    if is_shared and key in running:
        yield door_to(way.door, running[key])
        return
    folder = tmp_path_factory.mktemp("server")
    times = TIMES if is_shared else TIMES | {"sync_s": 2.0}
    server = server_for(way.door, folder, await database_url(way.store, folder), signaling=times)
    try:
        await asyncio.to_thread(server.start)
        if is_shared:
            running[key] = server
        yield door_to(way.door, server)
    finally:
        if key not in running or running[key] is not server:
            await asyncio.to_thread(server.end)


@pytest.fixture
def own_door(door: Door) -> Door:
    """A door to a server of this test's own, which it may kill."""
    return door


@pytest.fixture
def join(door: Door, guests: list[Client], unique: str) -> Join:
    """Come in by the test's door: `await join("Ann")`; `await join(also=ann)` is one more device of hers."""

    async def come_in(
        name: str | None = None,
        *,
        also: Client | None = None,
        dev: str | None = None,
        own: str | None = None,
        transport: Kind | None = None,
    ) -> Client:
        full = also.name if also else f"{name} {unique}"
        own = also.own if also else own
        client = await Client.connect(door.url, full, own=own, dev=dev, transport=transport or door.transport)
        guests.append(client)
        return client

    return come_in
