"""What a packet of sound costs that is encoded already: both ends in this process, no codec anywhere."""

from __future__ import annotations

import asyncio
import fractions
import time
from typing import Any

import aiortc
import av

from peerline.media import EncodedTrack
from peerline.media.encoded_frame import EncodedFrame

from .pair import close, connect, connection
from .sounds import FRAME, RATE

__all__ = ["encoded"]

BATCH = 8
UNDER_WAY = 64
DATA = b"\xfc" + bytes(79)


async def encoded(implementation: str, seconds: float) -> dict[str, float]:
    """CPU of both ends for a packet of 80 bytes: one by one, and in batches where that is possible."""
    if implementation == "aiortc":
        single = await _theirs(seconds)
        return {"cpu_us_a_packet_batched": single, "cpu_us_a_packet_single": single}
    batched, share_batched = await _ours(seconds, BATCH)
    single, share_single = await _ours(seconds, 1)
    return {
        "cpu_us_a_packet_batched": batched,
        "cpu_us_a_packet_single": single,
        "share_received": min(share_batched, share_single),
    }


class _Packets(aiortc.MediaStreamTrack):
    """As fast as they are asked for."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    async def recv(self) -> Any:
        packet = av.Packet(DATA)
        packet.pts, packet.time_base = self.sent * FRAME, fractions.Fraction(1, RATE)
        self.sent += 1
        await asyncio.sleep(0)
        return packet


async def _theirs(seconds: float) -> float:
    a, b = connection("aiortc"), connection("aiortc")
    track = _Packets()
    a.addTrack(track)
    await connect(a, b)
    begin, sent = time.process_time(), track.sent
    await asyncio.sleep(seconds)
    cpu, count = time.process_time() - begin, track.sent - sent
    await close(a, b)
    return cpu / count * 1e6


class _Count:
    """A sink that counts."""

    def __init__(self) -> None:
        self.got = 0
        self.arrived = asyncio.Event()

    def takes(self, codec: str) -> bool:
        return True

    def receive(self, frame: Any) -> None:
        self.got += 1
        self.arrived.set()

    def receive_all(self, frames: Any) -> None:
        self.got += len(frames)
        self.arrived.set()


async def _ours(seconds: float, batch: int) -> tuple[float, float]:
    """Microseconds of CPU a packet, and the share of them that came."""
    a, b = connection("peerline"), connection("peerline")
    track, count = EncodedTrack("audio"), _Count()
    a.addTrack(track)
    b.ontrack = lambda event: event.track.attach_sink(count)
    await connect(a, b)
    sent = 0
    begin, end = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        track.write([EncodedFrame(DATA, (sent + at) * FRAME, "opus") for at in range(batch)])
        sent += batch
        # As fast as they arrive, so that none is dropped: what is counted is what was carried.
        while sent - count.got > UNDER_WAY:
            count.arrived.clear()
            await asyncio.wait_for(count.arrived.wait(), 10)
    await asyncio.sleep(0.2)
    cpu = time.process_time() - begin
    await close(a, b)
    return cpu / sent * 1e6, count.got / sent
