"""Every test begins without this machine's settings, with names of its own, and logs its clients out."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator

import pytest

from client import Client

for name in [name for name in os.environ if name.startswith("PEERLINE_") and "TEST" not in name]:
    del os.environ[name]


@pytest.fixture
def unique() -> str:
    """What makes this test's names its own."""
    return secrets.token_hex(4)


@pytest.fixture
async def guests() -> AsyncIterator[list[Client]]:
    """All clients of the test; they log out when it is over."""
    clients: list[Client] = []
    yield clients
    await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
