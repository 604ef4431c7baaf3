"""How long a sound takes from mouth to ear, both in this process: on a clean path, with losses, after one loss."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

from peerline.lab import BadPath

from . import sounds
from .flow import given, take
from .pair import close, connect, connection, total

__all__ = ["ear", "ear_loss", "ear_single"]

EVERY = 25
# More of them tell better how many are lost.
EVERY_UNDER_LOSS = 5
FRAMES_A_SECOND = sounds.RATE / sounds.FRAME
SETTLING_S = 1.0
LOSS = 0.05


class Call:
    """One mouth, one ear, and when what was spoken and heard."""

    def __init__(self, implementation: str, every: int) -> None:
        self.a, self.b = connection(implementation), connection(implementation)
        self._every = every
        self._heard: dict[int, float] = {}
        self._was_loud = False
        self._mouth = given(implementation, "audio", FRAMES_A_SECOND, sounds.bursts(implementation, every))
        self.a.addTrack(self._mouth.track)
        take(self.b, self._listen)

    async def begin(self, path: BadPath | None = None) -> None:
        """Connect, speak, and let it settle."""
        await connect(self.a, self.b, path)
        self._mouth.begin()
        await asyncio.sleep(SETTLING_S)

    def delays(self, begin: float, end: float) -> list[float]:
        """Of what was spoken between these times, in seconds; infinite for what was never heard."""
        spoken = self._spoken()
        return [self._heard.get(index, math.inf) - at for index, at in enumerate(spoken) if begin <= at < end]

    def _spoken(self) -> list[float]:
        return self._mouth.times[self._every - 1 :: self._every]

    def _listen(self, frame: Any) -> None:
        tone = sounds.tone(frame)
        if tone is not None and not self._was_loud:
            at = time.monotonic()
            # The last one that was spoken with this tone.
            before = range(len(self._spoken()) - 1, -1, -1)
            found = next((index for index in before if index % sounds.TONES == tone), None)
            if found is not None:
                self._heard.setdefault(found, at)
        self._was_loud = tone is not None


async def ear(implementation: str, seconds: float) -> dict[str, float]:
    """On a clean path."""
    call = Call(implementation, EVERY)
    await call.begin()
    begin = time.monotonic()
    await asyncio.sleep(seconds)
    end = time.monotonic()
    await asyncio.sleep(0.5)
    delays = call.delays(begin, end)
    await close(call.a, call.b)
    return {"mouth_to_ear_ms": _median_ms(delays), "heard": _share(delays)}


async def ear_loss(implementation: str, seconds: float) -> dict[str, float]:
    """Each packet is lost with the same probability. Heard is a frame that holds what was spoken, also where the next
    packet told it; what one implementation says of those that it had to make up or was told is beside it.
    """
    with BadPath() as path:
        call = Call(implementation, EVERY_UNDER_LOSS)
        await call.begin(path)
        path.shape(loss=LOSS)
        await asyncio.sleep(SETTLING_S)
        begin, concealed = time.monotonic(), await total(call.b, "inbound-rtp", "concealedSamples")
        await asyncio.sleep(seconds)
        end = time.monotonic()
        concealed = await total(call.b, "inbound-rtp", "concealedSamples") - concealed
        await asyncio.sleep(1)
        delays = call.delays(begin, end)
        await close(call.a, call.b)
    heard = sorted(filter(math.isfinite, delays))
    return {
        "mouth_to_ear_ms": _median_ms(delays),
        "mouth_to_ear_p95_ms": 1000 * heard[int(0.95 * len(heard))],
        "frames_heard": _share(delays),
        "frames_concealed": concealed / sounds.RATE / (end - begin),
    }


async def ear_single(implementation: str, seconds: float) -> dict[str, float]:
    """Nothing but one packet is lost; what was before it and what was after it are compared."""
    with BadPath() as path:
        call = Call(implementation, EVERY)
        await call.begin(path)
        begin = time.monotonic()
        await asyncio.sleep(seconds)
        lost = time.monotonic()
        while not await total(call.b, "inbound-rtp", "packetsLost"):
            await _lose_one(path)
        await asyncio.sleep(seconds)
        end = time.monotonic()
        await asyncio.sleep(0.5)
        before, after = call.delays(begin, lost - 1), call.delays(lost + 1, end)
        await close(call.a, call.b)
    first, then = _median_ms(before), _median_ms(after)
    return {"before_ms": first, "after_ms": then, "rise_ms": then - first}


async def _lose_one(path: BadPath) -> None:
    """The next packet; most are sound. Then some time to see whether it was."""
    lost = path.counts("up").lost
    path.shape(loss=1, direction="up")
    while path.counts("up").lost == lost:  # noqa: ASYNC110  # the path tells when it is asked
        await asyncio.sleep(0.001)
    path.shape()
    await asyncio.sleep(0.5)


def _median_ms(delays: Sequence[float]) -> float:
    """Of those that were heard."""
    return 1000 * statistics.median(filter(math.isfinite, delays))


def _share(delays: Sequence[float]) -> float:
    return sum(math.isfinite(one) for one in delays) / len(delays)
