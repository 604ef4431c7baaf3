"""The server is killed under load and started again: every client is back within one refresh (RFC 8656 §8)."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from client.turn import TurnClient
from client.turn_message import Address
from peerline.turnserver import make_credentials
from turn.conftest import SECRET, Echo, Serve

CLIENTS = 50
FLAGS = ("--rest-secret", SECRET, "--allow-peer", "127.0.0.0/8", "--no-limits")
TALK = b"\x40\0\0\4talk"


class Caller:
    """Talks to its peer all the time, and does at each refresh what a client does."""

    def __init__(self, number: int, peer: Address) -> None:
        made = make_credentials(SECRET.encode(), f"caller {number}", now_s=time.time(), ttl_s=600)
        self._credentials = made.username, made.password
        self._peer = peer
        self.refused: list[int] = []

    async def enter(self, server: Address) -> None:
        self.client = await TurnClient.connect(server, *self._credentials)
        await self._begin()

    async def _begin(self) -> None:
        assert (await self.client.allocate())[0] == 0
        assert await self.client.bind(0x4000, self._peer) == 0

    async def talk_for_ever(self) -> None:
        while True:
            self.client.send(TALK)
            await asyncio.sleep(0.02)

    async def hears(self) -> None:
        """Something comes back that was sent from now on."""
        while not self.client.inbox.empty():
            self.client.inbox.get_nowait()
        self.client.send(TALK)
        assert await self.client.receive() == TALK

    async def refresh(self) -> None:
        """Once; afterwards there is an allocation."""
        while (status := await self.client.refresh(600)) == 438:
            self.refused.append(status)
            self.client.nonce = b""
        if status == 437:
            self.refused.append(status)
            await self._begin()
        else:
            assert status == 0


@pytest.mark.parametrize("shards", ["1", "2"])
async def test_every_client_is_back_within_one_refresh(serve: Serve, echo: Echo, shards: str) -> None:
    # Nobody is given these, while the server is away.
    port = ("--turn-port", f"1120{shards}")
    server = serve(*FLAGS, "--shards", shards, *port)
    address = await asyncio.to_thread(server.address, "udp")
    callers = [Caller(number, echo.address) for number in range(CLIENTS)]
    await asyncio.gather(*(caller.enter(address) for caller in callers))
    talking = [asyncio.ensure_future(caller.talk_for_ever()) for caller in callers]
    try:
        await asyncio.gather(*(caller.hears() for caller in callers))
        for life in range(1, 4):
            await asyncio.to_thread(server.kill)
            server = serve(*FLAGS, "--shards", shards, *port)
            assert await asyncio.to_thread(server.address, "udp") == address
            await asyncio.gather(*(caller.refresh() for caller in callers))
            await asyncio.gather(*(caller.hears() for caller in callers))
            assert [caller.refused for caller in callers] == [[438, 437] * life] * CLIENTS
    finally:
        for task in talking:
            task.cancel()
        for caller in callers:
            with contextlib.suppress(AttributeError):
                caller.client.close()
