"""A hundred sockets die during a call, and nothing is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import random

import pytest

from client import Client, Kind, ulid
from client.conversation import settle, talk
from system.conftest import Enter, until
from system.server_process import ServerProcess

ABORTS = 100
KINDS: list[Kind] = ["websocket", "sse", "poll"]
LEAD = 300  # a talker waits when the other is so far behind: the server keeps 1,024 for a device


class Talker:
    """Says numbers, as descriptions and candidates, and reads which of them the other side has heard."""

    def __init__(self, speaker: Client, listener: Client, call: str, dice: random.Random) -> None:
        self.said = 0
        self.is_over = False
        self._speaker = speaker
        self._listener = listener
        self._call = call
        self._dice = dice
        self._heard: list[int] = []
        self._looked_at = 0

    def heard(self) -> list[int]:
        for message in self._listener.log[self._looked_at :]:
            if message["t"] in ("desc", "cand"):
                self._heard.append(message["d"]["n"])
        self._looked_at = len(self._listener.log)
        return self._heard

    async def run(self) -> None:
        while not self.is_over:
            kind = self._dice.choice(["desc", "cand"])
            size = self._dice.choice([10, 300, 3000])
            await self._speaker.notify(kind, self._call, pc="p2p", g=1, n=self.said, sdp="x" * size)
            self.said += 1
            await asyncio.sleep(0)
            if self.said - len(self.heard()) > LEAD:
                await until(lambda: self.said - len(self.heard()) < LEAD, "the other side hears")


@pytest.mark.parametrize("roams", [False, True], ids=["the same transport", "any transport"])
async def test_nothing_is_lost_doubled_or_reordered(
    shared: ServerProcess, enter: Enter, transport: Kind, roams: bool
) -> None:
    dice = random.Random(f"{transport} {roams}")
    ann, bob = await enter(shared, "Ann", transport), await enter(shared, "Bob", transport)
    call = await talk(ann, bob)
    talkers = [Talker(ann, bob, call, dice), Talker(bob, ann, call, dice)]
    running = [asyncio.create_task(talker.run()) for talker in talkers]

    aborts = 0
    while aborts < ABORTS:
        victims = dice.choice([[ann], [bob], [ann, bob]])
        aborts += len(victims)
        for victim in victims:
            await victim.abort_socket()
        for victim in victims:
            assert await victim.resume(dice.choice(KINDS) if roams else transport) is True
        # how much is under way when the next one dies: nothing, a little, a lot
        goal = talkers[0].said + dice.choice([0, 1, 5, 30])
        await until(lambda goal=goal: talkers[0].said >= goal, "Ann talks on")  # type: ignore[misc]

    for talker in talkers:
        talker.is_over = True
    await asyncio.gather(*running)
    await settle(ann, bob)  # what they said is at the server now
    for talker in talkers:
        await until(lambda talker=talker: len(talker.heard()) >= talker.said, "all was heard")  # type: ignore[misc]
        assert talker.heard() == list(range(talker.said))
    await ann.request("end", call)
    await bob.expect("end", call)


async def test_requests_during_aborts_are_carried_out_once(
    shared: ServerProcess, enter: Enter, transport: Kind
) -> None:
    """Forty calls placed and cancelled, each while the caller's socket dies: each rings once and ends."""
    dice = random.Random(3)
    ann, bob = await enter(shared, "Ann", transport), await enter(shared, "Bob")
    for _ in range(40):
        placing = asyncio.create_task(place_and_cancel(ann, bob))
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        await ann.abort_socket()
        assert await ann.resume() is True
        call = await placing
        await bob.expect("stop", call)
    await settle(bob)
    rings = [message["call"] for message in bob.log if message["t"] == "ring"]
    assert len(rings) == len(set(rings)) == 40
    past = (await ann.request("history", limit=100))["calls"]
    assert sorted(entry["call"] for entry in past) == sorted(rings)
    assert {entry["why"] for entry in past} == {"cancelled"}


async def place_and_cancel(ann: Client, bob: Client) -> str:
    call = ulid()
    await ann.request("call", call, to=f"u/{bob.u}", media=["a"])
    await ann.request("cancel", call)
    return call
