"""A call over a bad path: sound, pictures and numbered messages, both ways, and what came of them."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any

from interop.end import PATIENCE_S, Description
from peerline.lab import BadPath
from slow.participant import Participant, Sample

__all__ = ["Side", "call"]

LABEL = "numbers"
MESSAGE_EVERY_S = 0.1


@dataclass
class Side:
    """What one of the two has received: a sample at the beginning and after each second, and the messages."""

    who: Participant
    samples: list[Sample]
    messages: list[str]


async def call(
    path: BadPath, offerer: Participant, answerer: Participant, *, seconds: int, loss: float, delay_s: float
) -> dict[Participant, Side]:
    """Connect where nothing is lost yet, talk for so long where it is, and leave. Raises TimeoutError if that fails."""
    path.shape(delay_s=delay_s)
    for one in (offerer, answerer):
        await one.add_media()
    await offerer.end.create_channel(LABEL)
    await _connect(path, offerer, answerer)
    path.shape(delay_s=delay_s, loss=loss)
    count = round(seconds / MESSAGE_EVERY_S)
    async with asyncio.timeout(seconds + PATIENCE_S), asyncio.TaskGroup() as tasks:
        for one in (offerer, answerer):
            tasks.create_task(_speak(one, count))
        told = {one: tasks.create_task(_listen(one, count)) for one in (offerer, answerer)}
        samples = {one: tasks.create_task(_watch(one, seconds)) for one in (offerer, answerer)}
    for one in (offerer, answerer):
        await one.close()
    return {one: Side(one, samples[one].result(), told[one].result()) for one in (offerer, answerer)}


async def _connect(path: BadPath, offerer: Participant, answerer: Participant) -> None:
    ends = offerer.end, answerer.end
    offer = _without_candidates(await ends[0].offer())
    answer = _without_candidates(await ends[1].answer(offer))
    await ends[0].accept(answer)
    for side, end in enumerate(ends):
        await end.add_candidate({"candidate": path.candidate(side), "sdpMid": _first_mid(offer), "sdpMLineIndex": 0})
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(end.state("connected") for end in ends))
        await asyncio.gather(*(end.opened(LABEL) for end in ends))


def _without_candidates(description: Description) -> Description:
    """They are to meet at the path only."""
    sdp = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", description["sdp"])
    return {"type": description["type"], "sdp": sdp}


def _first_mid(description: Description) -> str:
    found = re.search(r"a=mid:(\S+)", description["sdp"])
    assert found
    return found[1]


async def _speak(one: Participant, count: int) -> None:
    begin = time.monotonic()
    for number in range(count):
        await asyncio.sleep(begin + number * MESSAGE_EVERY_S - time.monotonic())  # as one talks
        await one.end.send(LABEL, str(number))


async def _listen(one: Participant, count: int) -> list[Any]:
    return [await one.end.received(LABEL) for _ in range(count)]


async def _watch(one: Participant, seconds: int) -> list[Sample]:
    begin = time.monotonic()
    samples = [await one.sample()]
    for second in range(1, seconds + 1):
        await asyncio.sleep(begin + second - time.monotonic())  # what came in a second of a real call
        samples.append(await one.sample())
    return samples
