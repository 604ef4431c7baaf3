"""Two peer connections of either implementation, and what they have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiortc

import peerline
from peerline.lab import BadPath

__all__ = ["accept", "answer", "close", "connect", "connected", "connection", "offer", "rerouted", "total", "until"]

Description = dict[str, str]


def connection(implementation: str) -> Any:
    """Without any server."""
    if implementation == "aiortc":
        return aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    return peerline.RTCPeerConnection()


async def connect(a: Any, b: Any, path: BadPath | None = None) -> None:
    """With candidates in the descriptions, which both can."""
    answered = await answer(b, rerouted(await offer(a), path, 1))
    await accept(a, rerouted(answered, path, 0))
    await connected(a)
    await connected(b)
    await asyncio.sleep(0.5)


async def offer(pc: Any) -> Description:
    """With all candidates."""
    await pc.setLocalDescription(await pc.createOffer())
    return await _described(pc)


async def answer(pc: Any, offered: Description) -> Description:
    """With all candidates."""
    await pc.setRemoteDescription(_description(pc, offered))
    await pc.setLocalDescription(await pc.createAnswer())
    return await _described(pc)


async def accept(pc: Any, answered: Description) -> None:
    """The answer to its offer."""
    await pc.setRemoteDescription(_description(pc, answered))


async def connected(pc: Any) -> None:
    """Raises TimeoutError after half a minute."""
    await asyncio.wait_for(until(lambda: pc.connectionState == "connected"), 30)


async def until(is_so: Callable[[], bool]) -> None:
    """Soon after it is."""
    while not is_so():  # noqa: ASYNC110  # the two implementations have no event in common
        await asyncio.sleep(0.005)


async def close(*connections: Any) -> None:
    """One implementation waits for it, the other does not."""
    for pc in connections:
        closing = pc.close()
        if closing is not None:
            await closing


async def total(pc: Any, kind: str, figure: str) -> float:
    """The sum of a figure over the records of one kind in its statistics."""
    records = (await pc.getStats()).values()
    return sum(getattr(one, figure, None) or 0 for one in records if one.type == kind)


def rerouted(description: Description, path: BadPath | None, side: int) -> Description:
    """As that side is told it: with one candidate in each section, that of the path, if there is one between them."""
    if path is None:
        return description
    lines: list[str] = []
    is_told = False
    for line in description["sdp"].splitlines():
        is_told = is_told and not line.startswith("m=")
        if not line.startswith("a=candidate:"):
            lines.append(line)
        elif not is_told:
            lines.append(f"a={path.candidate(side)}")
            is_told = True
    return {**description, "sdp": "\r\n".join(lines) + "\r\n"}


async def _described(pc: Any) -> Description:
    await until(lambda: pc.iceGatheringState == "complete")
    return {"type": pc.localDescription.type, "sdp": pc.localDescription.sdp}


def _description(pc: Any, given: Description) -> Any:
    library: Any = aiortc if isinstance(pc, aiortc.RTCPeerConnection) else peerline
    return library.RTCSessionDescription(**given)
