"""How soon pictures of 1280x720 that fill any bitrate get what a clean path has; the ends are two processes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from . import pictures
from .far import Far, serve
from .flow import given, take
from .pair import accept, answer, close, connected, connection, offer, total
from .video import frame_of

__all__ = ["far", "ramp"]

SIZE = (1280, 720)
# Enough noise to take more than there is, and little enough that an encoder can do with less.
COUNT, NOISE = 48, 8
# What carries 2.5 Mbit/s is used but for a twentieth.
GOAL_KBPS = 2_500 * 0.95
SAMPLE_S = 0.1
# A bitrate is that of the last second.
WINDOW = 10
LONGEST_S = 20.0


async def ramp(implementation: str, seconds: float) -> dict[str, float]:
    """Seconds from when it is connected; LONGEST_S if it is never reached. Media is counted, not what probes."""
    made = pictures.moving(*SIZE, COUNT, NOISE)
    other, pc = await Far.start("ramp", implementation), connection(implementation)
    shown = given(implementation, "video", pictures.FRAME_RATE, lambda index: frame_of(implementation, made, index))
    pc.addTrack(shown.track)
    await accept(pc, await other.ask("answer", await offer(pc)))
    await connected(pc)
    shown.begin()
    begin = time.monotonic()
    samples: list[tuple[float, float]] = [(0.0, await other.ask("bytes"))]
    while samples[-1][0] < LONGEST_S:
        await asyncio.sleep(SAMPLE_S)
        samples.append((time.monotonic() - begin, await other.ask("bytes")))
    await close(pc)
    await other.close()
    rates = [
        (now, (got - before) * 8 / (now - then) / 1000)
        for (then, before), (now, got) in zip(samples, samples[WINDOW:], strict=False)
    ]
    return {
        "seconds_to_2.5_mbps": next((at for at, kbps in rates if kbps >= GOAL_KBPS), LONGEST_S),
        "kbps_after_5_s": next(kbps for at, kbps in rates if at >= 5),
        "kbps_after_10_s": next(kbps for at, kbps in rates if at >= 10),
        "kbps_after_20_s": rates[-1][1],
    }


async def far(implementation: str) -> None:
    """The one who counts."""
    pc = connection(implementation)
    take(pc, _look)
    await serve(
        {
            "answer": lambda offered: answer(pc, offered),
            "bytes": lambda: _media_bytes(pc),
        }
    )


async def _media_bytes(pc: Any) -> float:
    """With headers of RTP, without packets that came twice: so one implementation probes. The other tells only of the
    whole transport, but it sends nothing else there.
    """
    payload, headers, repeated = [
        await total(pc, "inbound-rtp", figure)
        for figure in ("bytesReceived", "headerBytesReceived", "retransmittedBytesReceived")
    ]
    return payload + headers - repeated or await total(pc, "transport", "bytesReceived")


def _look(frame: Any) -> None:
    """As decoded pictures are wanted, they are decoded."""
