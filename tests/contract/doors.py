"""The doors to a server and the stores behind it: what the contract suite is parametrised over."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from client import Kind
from system.server_process import ServerProcess, standalone, write_settings

PREFIX = "/apps/talk"  # where the mounted app lives


@dataclass(frozen=True)
class DoorKind:
    name: str
    transport: Kind
    mounted: bool = False


DOORS = (
    DoorKind("websocket", "websocket"),
    DoorKind("mounted", "websocket", mounted=True),
    DoorKind("sse", "sse"),
    DoorKind("poll", "poll"),
)


@dataclass(frozen=True)
class Way:
    """A door, and the store behind it."""

    door: DoorKind
    store: str

    def __str__(self) -> str:
        return f"{self.door.name}-{self.store}"


# Every door, and every store; not every pair of them, because neither knows of the other.
WAYS = [Way(door, "memory") for door in DOORS] + [
    Way(DOORS[0], "sqlite"),
    Way(DOORS[1], "sqlite"),
    Way(DOORS[0], "postgres"),
]


@dataclass(frozen=True)
class Door:
    """A way in to a running server."""

    url: str
    kind: DoorKind
    server: ServerProcess

    @property
    def transport(self) -> Kind:
        return self.kind.transport


async def database_url(store: str, folder: Path) -> str | None:
    """Where this store keeps its data; a database of its own each time. None: in memory."""
    if store == "memory":
        return None
    if store == "sqlite":
        return f"sqlite:///{folder / 'peerline.sqlite'}"
    given = os.environ.get("PEERLINE_TEST_POSTGRES_URL")
    if not given:
        pytest.skip("PEERLINE_TEST_POSTGRES_URL names no PostgreSQL server")
    fresh = f"peerline_test_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(given.replace("+asyncpg", ""))
    try:
        await connection.execute(f"CREATE DATABASE {fresh}")
    finally:
        await connection.close()
    return urlsplit(given)._replace(path=f"/{fresh}").geturl()


def server_for(kind: DoorKind, folder: Path, database: str | None, **settings: dict[str, Any]) -> ServerProcess:
    """The server that has this door, not started."""
    if kind.mounted:
        file = write_settings(folder, **settings)
        script = str(Path(__file__).with_name("mounted.py"))
        command = [sys.executable, script, "--config", str(file), "--prefix", PREFIX]
        return ServerProcess(folder, command + (["--database", database] if database else []))
    return standalone(folder, *(["--database", database] if database else ["--no-db"]), **settings)


def door_to(kind: DoorKind, server: ServerProcess) -> Door:
    return Door(server.url + (PREFIX if kind.mounted else ""), kind, server)
