"""One end, or both, of a peer connection with media, for bench_media.py: the same with either implementation.

    python benchmarks/load/frames.py encoded|ear|idle --impl peerline|aiortc [--seconds S]

Prints one JSON record.
"""

from __future__ import annotations

import argparse
import asyncio
import fractions
import gc
import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import aiortc
import av
import numpy as np
import psutil
import uvloop

import peerline
from peerline.media import EncodedTrack, MediaStreamTrack, Source
from peerline.media.audio_frame import AudioFrame
from peerline.media.encoded_frame import EncodedFrame

FRAME = 960
RATE = 48_000
BATCH = 8
UNDER_WAY = 64
LOUD = 2_000
BURST_EACH_S = 0.5


async def connect(a: Any, b: Any) -> None:
    """With candidates in the descriptions, which both can."""
    await a.setLocalDescription(await a.createOffer())
    await gathered(a)
    await b.setRemoteDescription(a.localDescription)
    await b.setLocalDescription(await b.createAnswer())
    await gathered(b)
    await a.setRemoteDescription(b.localDescription)
    await until(lambda: a.connectionState == b.connectionState == "connected")
    await asyncio.sleep(0.5)


async def gathered(pc: Any) -> None:
    await until(lambda: pc.iceGatheringState == "complete")


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110  # the two implementations have no event in common
        await asyncio.sleep(0.005)


def connection(implementation: str) -> Any:
    if implementation == "aiortc":
        return aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    return peerline.RTCPeerConnection()


# Frames that are encoded already ------------------------------------------------------------------------


class Packets(aiortc.MediaStreamTrack):
    """As fast as they are asked for."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    async def recv(self) -> Any:
        packet = av.Packet(b"\xfc" + bytes(79))
        packet.pts, packet.time_base = self.sent * FRAME, fractions.Fraction(1, RATE)
        self.sent += 1
        # As many a second as the other side of the comparison sends.
        await asyncio.sleep(0)
        return packet


async def encoded(implementation: str, seconds: float) -> dict[str, float]:
    """CPU of both ends for a packet of 80 bytes, without any codec: given in batches where that is possible."""
    a, b = connection(implementation), connection(implementation)
    got = 0
    if implementation == "aiortc":
        track = Packets()
        a.addTrack(track)
        await connect(a, b)
        begin, sent = time.process_time(), track.sent
        await asyncio.sleep(seconds)
        count = track.sent - sent
        cpu = time.process_time() - begin
        await a.close()
        await b.close()
        return {"cpu_us_a_packet": cpu / count * 1e6}

    ours, arrived = EncodedTrack("audio"), asyncio.Event()
    a.addTrack(ours)

    class Count:
        def takes(self, codec: str) -> bool:
            return True

        def receive(self, frame: Any) -> None:
            nonlocal got
            got += 1
            arrived.set()

        def receive_all(self, frames: Any) -> None:
            nonlocal got
            got += len(frames)
            arrived.set()

    b.ontrack = lambda event: event.track.attach_sink(Count())
    await connect(a, b)
    data, stamp, sent = b"\xfc" + bytes(79), 0, 0
    begin, end = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        ours.write([EncodedFrame(data, stamp + at * FRAME, "opus") for at in range(BATCH)])
        stamp += BATCH * FRAME
        sent += BATCH
        # As fast as they arrive, so that none is dropped: what is counted is what was carried.
        while sent - got > UNDER_WAY:
            arrived.clear()
            await asyncio.wait_for(arrived.wait(), 10)
    await asyncio.sleep(0.2)
    cpu = time.process_time() - begin
    a.close()
    b.close()
    return {"cpu_us_a_packet": cpu / sent * 1e6, "share_received": got / sent}


# From mouth to ear --------------------------------------------------------------------------------------


def piece(is_loud: bool) -> Any:
    wave = 12_000 * np.sin(2 * np.pi * 1000 * np.arange(FRAME) / RATE) if is_loud else np.zeros(FRAME)
    return wave.astype(np.int16).reshape(-1, 1)


class Bursts(aiortc.MediaStreamTrack):
    """A loud frame each half second."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.spoken: list[float] = []
        self._count = 0
        self._begin = 0.0

    async def recv(self) -> av.AudioFrame:
        self._begin = self._begin or time.monotonic()
        await asyncio.sleep(max(0.0, self._begin + self._count * 0.02 - time.monotonic()))
        is_loud = self._count % 25 == 24
        if is_loud:
            self.spoken.append(time.monotonic())
        frame = av.AudioFrame.from_ndarray(piece(is_loud).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._count * FRAME, fractions.Fraction(1, RATE)
        self._count += 1
        return frame


async def ear(implementation: str, seconds: float) -> dict[str, float]:
    """From the moment a loud frame is given to the one it is heard."""
    a, b = connection(implementation), connection(implementation)
    heard: list[float] = []
    was_loud = False

    def listen(samples: Any) -> None:
        nonlocal was_loud
        is_loud = int(np.abs(samples).max()) > LOUD
        if is_loud and not was_loud:
            heard.append(time.monotonic())
        was_loud = is_loud

    if implementation == "aiortc":
        track = Bursts()
        a.addTrack(track)

        async def read(remote: Any) -> None:
            while True:
                listen((await remote.recv()).to_ndarray())

        reading: list[Any] = []
        b.on("track", lambda remote: reading.append(asyncio.ensure_future(read(remote))))
        await connect(a, b)
        await asyncio.sleep(seconds)
        spoken = track.spoken
        reading[0].cancel()
        await a.close()
        await b.close()
    else:
        source, spoken = Source("bursts"), []
        a.addTrack(MediaStreamTrack("audio", source=source))

        async def hear(remote: Any) -> None:
            async for frame in remote.frames():
                listen(frame.samples)

        b.ontrack = lambda event: asyncio.ensure_future(hear(event.track))
        await connect(a, b)
        begin = time.monotonic()
        for count in range(int(seconds / 0.02)):
            await asyncio.sleep(max(0.0, begin + count * 0.02 - time.monotonic()))
            is_loud = count % 25 == 24
            if is_loud:
                spoken.append(time.monotonic())
            source.deliver(AudioFrame(piece(is_loud), RATE, count * FRAME))
        await asyncio.sleep(0.5)
        a.close()
        b.close()
    delays = [at - max(one for one in spoken if one <= at) for at in heard if any(one <= at for one in spoken)][2:]
    return {"mouth_to_ear_ms": statistics.median(delays) * 1000, "heard": len(heard) / max(len(spoken), 1)}


# What an idle pair keeps --------------------------------------------------------------------------------


async def idle(implementation: str, seconds: float) -> dict[str, float]:
    """A connected pair with audio and video that nobody sends."""
    process = psutil.Process(os.getpid())

    async def pair() -> tuple[Any, Any]:
        a, b = connection(implementation), connection(implementation)
        for kind in ("audio", "video"):
            a.addTransceiver(kind)
        await connect(a, b)
        return a, b

    kept = [await pair() for _ in range(3)]
    gc.collect()
    memory, threads, count = process.memory_info().rss, threading.active_count(), 20
    kept += [await pair() for _ in range(count)]
    gc.collect()
    begin = time.process_time()
    await asyncio.sleep(seconds)
    result = {
        "kib_a_pair": (process.memory_info().rss - memory) / count / 1024,
        "threads_a_pair": (threading.active_count() - threads) / count,
        "cpu_percent_of_200": (time.process_time() - begin) / seconds * 100 * 200 / len(kept),
    }
    for a, b in kept:
        for pc in (a, b):
            closing = pc.close()
            if closing is not None:
                await closing
    return result


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("case", choices=("encoded", "ear", "idle"))
    p.add_argument("--impl", choices=("peerline", "aiortc"), default="peerline")
    p.add_argument("--seconds", type=float, default=5)
    options = p.parse_args()
    case = {"encoded": encoded, "ear": ear, "idle": idle}[options.case]
    uvloop.install()
    print(json.dumps(asyncio.run(case(options.impl, options.seconds))))


if __name__ == "__main__":
    main()
