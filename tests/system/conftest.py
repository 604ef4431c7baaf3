"""Fixtures of the fault tests: servers to be mistreated, and people who come in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client import Client, Kind
from system.server_process import ServerProcess, standalone

Serve = Callable[..., ServerProcess]
Enter = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that should not be able to harm it."""
    server = standalone(tmp_path_factory.mktemp("shared"), "--no-db").start()
    yield server
    server.end()
    assert "Traceback" not in server.printed(), server.printed()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server of the test's own: `serve("--no-db", signaling={"grace_s": 1})`."""
    servers: list[ServerProcess] = []

    def start(*flags: str, **settings: dict[str, Any]) -> ServerProcess:
        server = standalone(tmp_path / f"server{len(servers)}", *flags, **settings)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.end()
    for server in servers:
        assert "Traceback" not in server.printed(), server.printed()


@pytest.fixture
def enter(guests: list[Client], unique: str) -> Enter:
    """Come in: `await enter(server, "Ann", "sse")`; `also=ann` for one more device of hers."""

    async def come_in(
        server: ServerProcess,
        name: str = "",
        transport: Kind = "websocket",
        *,
        also: Client | None = None,
        **more: str,
    ) -> Client:
        full = also.name if also else f"{name} {unique}"
        own = also.own if also else more.pop("own", None)
        client = await Client.connect(server.url, full, own=own, transport=transport, **more)
        guests.append(client)
        return client

    return come_in


@pytest.fixture(params=["websocket", "sse", "poll"])
def transport(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


async def until(holds: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Wait for a condition that nobody announces."""
    try:
        async with asyncio.timeout(timeout_s):
            while not holds():  # noqa: ASYNC110  # what it waits for sets no event of ours
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise TimeoutError(f"never came true: {what}") from None
