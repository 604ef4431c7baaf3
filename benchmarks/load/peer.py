"""One of two processes with a peer connection each, for bench_peer.py: they do the same with any implementation.

    python benchmarks/load/peer.py CASE --impl peerline|aiortc --loop uvloop|asyncio [--size N] [--seconds S]

Prints one JSON record. The near process starts the far one, and exchanges descriptions with it over its pipes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

WARM_UP_S = 1.0
HIGH_WATER, LOW_WATER = 1 << 20, 1 << 18


class Kind:
    """What the two implementations spell differently."""

    def __init__(self, name: str) -> None:
        self.module: Any = importlib.import_module(name)
        self.has_dom_events = hasattr(self.module.RTCPeerConnection, "addEventListener")

    def connection(self, *ice_servers: str) -> Any:
        servers = [self.module.RTCIceServer(urls=url) for url in ice_servers]
        return self.module.RTCPeerConnection(self.module.RTCConfiguration(iceServers=servers))

    def description(self, record: dict[str, str]) -> Any:
        return self.module.RTCSessionDescription(sdp=record["sdp"], type=record["type"])

    def channel(self, connection: Any, label: str) -> Any:
        return connection.createDataChannel(label)

    def on(self, target: Any, name: str, handler: Callable[[], object]) -> None:
        if self.has_dom_events:
            target.addEventListener(name, lambda _event: handler())
        else:
            target.on(name, lambda *_: handler())

    def on_message(self, channel: Any, handler: Callable[[Any], object]) -> None:
        """Each in the way its users write it."""
        if self.has_dom_events:
            channel.binaryType = "arraybuffer"
            channel.onmessage = lambda event: handler(event.data)
        else:
            channel.on("message", handler)

    def on_channel(self, connection: Any, handler: Callable[[Any], object]) -> None:
        if self.has_dom_events:
            connection.ondatachannel = lambda event: handler(event.channel)
        else:
            connection.on("datachannel", handler)

    async def until(self, target: Any, event: str, is_so: Callable[[], bool]) -> None:
        happened = asyncio.Event()
        self.on(target, event, happened.set)
        while not is_so():
            happened.clear()
            await asyncio.wait_for(happened.wait(), 30)

    async def gathered(self, connection: Any, description: Any) -> dict[str, str]:
        await connection.setLocalDescription(description)
        await self.until(connection, "icegatheringstatechange", lambda: connection.iceGatheringState == "complete")
        local = connection.localDescription
        return {"type": local.type, "sdp": local.sdp}

    async def offer(self, connection: Any) -> dict[str, str]:
        return await self.gathered(connection, await connection.createOffer())

    async def answer(self, connection: Any, offer: dict[str, str]) -> dict[str, str]:
        await connection.setRemoteDescription(self.description(offer))
        return await self.gathered(connection, await connection.createAnswer())

    async def open_pair(self) -> tuple[Any, Any]:
        """Two connected peer connections in this process, candidates in the descriptions."""
        near, far = self.connection(), self.connection()
        channel = self.channel(near, "bench")
        answer = await self.answer(far, await self.offer(near))
        await near.setRemoteDescription(self.description(answer))
        await self.until(channel, "open", lambda: channel.readyState == "open")
        return near, far

    async def close(self, *connections: Any) -> None:
        for connection in connections:
            closing = connection.close()
            if closing is not None:
                await closing


class FarEnd:
    """Counts what comes on the channel "count"; sends back what comes on "echo"."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.bytes, self.messages = kind, 0, 0
        self.connection = kind.connection()
        kind.on_channel(self.connection, self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self.kind.on_message(channel, channel.send if channel.label == "echo" else self._on_message)

    def _on_message(self, message: Any) -> None:
        self.bytes += len(message)
        self.messages += 1

    async def serve(self) -> None:
        reader = asyncio.StreamReader(limit=1 << 24)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            request = json.loads(line)
            if "sdp" in request:
                reply: Any = await self.kind.answer(self.connection, request)
            else:
                reply = [time.monotonic(), time.process_time(), self.bytes, self.messages]
            print(json.dumps(reply), flush=True)
        await self.kind.close(self.connection)


class Near:
    """The measuring process, with a channel to the far one."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.connection = kind.connection()

    async def open(self, label: str) -> Any:
        arguments = [sys.executable, *sys.argv, "--far"]
        pipe = asyncio.subprocess.PIPE
        self.far = await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe, limit=1 << 24)
        channel = self.kind.channel(self.connection, label)
        answer = await self.ask(await self.kind.offer(self.connection))
        await self.connection.setRemoteDescription(self.kind.description(answer))
        await self.kind.until(channel, "open", lambda: channel.readyState == "open")
        return channel

    async def ask(self, request: Any) -> Any:
        assert self.far.stdin is not None
        assert self.far.stdout is not None
        self.far.stdin.write(json.dumps(request).encode() + b"\n")
        return json.loads(await self.far.stdout.readline())

    async def close(self) -> None:
        assert self.far.stdin is not None
        self.far.stdin.close()
        await self.far.wait()
        await self.kind.close(self.connection)


async def bulk(kind: Kind, options: argparse.Namespace) -> dict[str, float]:
    """As much as goes through, one way."""
    near = Near(kind)
    channel = await near.open("count")
    payload, is_over = bytes(options.size), False
    room = asyncio.Event()
    channel.bufferedAmountLowThreshold = min(LOW_WATER, options.high // 4)
    kind.on(channel, "bufferedamountlow", room.set)

    async def pump() -> None:
        while not is_over:
            room.clear()
            while channel.bufferedAmount < options.high:
                channel.send(payload)
            await asyncio.wait_for(room.wait(), 30)

    pumping = asyncio.ensure_future(pump())
    await asyncio.sleep(WARM_UP_S)
    far_0, at_0, cpu_0 = await near.ask({}), time.monotonic(), time.process_time()
    await asyncio.sleep(options.seconds)
    far_1, at_1, cpu_1 = await near.ask({}), time.monotonic(), time.process_time()
    is_over = True
    await pumping
    await near.close()
    wall = far_1[0] - far_0[0]
    cores = (cpu_1 - cpu_0) / (at_1 - at_0) + (far_1[1] - far_0[1]) / wall
    rate, messages = (far_1[2] - far_0[2]) / wall, (far_1[3] - far_0[3]) / wall
    return {"MB_per_s": rate / 1e6, "messages_per_s": messages, "cpu_s_per_GB": cores / (rate / 1e9)}


async def ping(kind: Kind, options: argparse.Namespace) -> dict[str, float]:
    """There and back, one at a time."""
    near = Near(kind)
    channel = await near.open("echo")
    back = asyncio.Event()
    kind.on_message(channel, lambda _message: back.set())
    payload, times = bytes(options.size), []
    begin = time.monotonic() + WARM_UP_S
    while (sent := time.monotonic()) < begin + options.seconds:
        back.clear()
        channel.send(payload)
        await asyncio.wait_for(back.wait(), 30)
        if sent >= begin:
            times.append((time.monotonic() - sent) * 1e6)
    await near.close()
    return {"us_p50": statistics.median(times), "us_p99": statistics.quantiles(times, n=100)[98]}


async def setup(kind: Kind, options: argparse.Namespace) -> dict[str, float]:
    """Pairs in one process, one after the other, from nothing to an open channel and closed again."""
    for _ in range(3):
        await kind.close(*await kind.open_pair())
    times, cpu, end = [], time.process_time(), time.monotonic() + options.seconds
    while (begin := time.monotonic()) < end:
        pair = await kind.open_pair()
        times.append((time.monotonic() - begin) * 1e3)
        await kind.close(*pair)
    return {"open_ms": statistics.median(times), "cpu_ms": (time.process_time() - cpu) / len(times) * 1e3}


async def idle(kind: Kind, options: argparse.Namespace) -> dict[str, float]:
    """What pairs cost that do nothing: both ends in this process."""
    await kind.close(*await kind.open_pair())
    gc.collect()
    before, pairs = _resident_kib(), []
    for _ in range(options.pairs):
        pairs.append(await kind.open_pair())
    await asyncio.sleep(1)
    gc.collect()
    grown = _resident_kib() - before
    cpu, begin = time.process_time(), time.monotonic()
    await asyncio.sleep(options.seconds)
    busy = (time.process_time() - cpu) / (time.monotonic() - begin)
    for pair in pairs:
        await kind.close(*pair)
    return {"KiB_per_pair": grown / options.pairs, "idle_cpu_ms_per_pair_s": busy / options.pairs * 1e3}


async def dead_stun(kind: Kind, options: argparse.Namespace) -> dict[str, float]:
    """A STUN server that never answers: until the other side has our description with candidates, and is connected."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        near, far = kind.connection(f"stun:127.0.0.1:{silent.getsockname()[1]}"), kind.connection()
        channel = kind.channel(near, "bench")
        begin = time.monotonic()
        if kind.has_dom_events:  # candidates follow as they are found
            _trickle(near, far)
            _trickle(far, near)
            await near.setLocalDescription(await near.createOffer())
            await far.setRemoteDescription(near.localDescription)
            await far.setLocalDescription(await far.createAnswer())
            await near.setRemoteDescription(far.localDescription)
        else:
            answer = await kind.answer(far, await kind.offer(near))
            await near.setRemoteDescription(kind.description(answer))
        await kind.until(channel, "open", lambda: channel.readyState == "open")
        took = (time.monotonic() - begin) * 1e3
        await kind.close(near, far)
    return {"open_ms": took}


def _trickle(source: Any, target: Any) -> None:
    source.onicecandidate = lambda event: target.addIceCandidate(event.candidate) and None


def _resident_kib() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


CASES = {"bulk": bulk, "ping": ping, "setup": setup, "idle": idle, "dead-stun": dead_stun}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("case", choices=CASES)
    p.add_argument("--impl", default="peerline")
    p.add_argument("--loop", choices=["asyncio", "uvloop"], default="uvloop")
    p.add_argument("--size", type=int, default=16_384)
    p.add_argument("--high", type=int, default=HIGH_WATER, help="no more is queued than this")
    p.add_argument("--pairs", type=int, default=100)
    p.add_argument("--seconds", type=float, default=4)
    p.add_argument("--far", action="store_true", help=argparse.SUPPRESS)
    options = p.parse_args()
    kind = Kind(options.impl)
    work = (lambda: FarEnd(kind).serve()) if options.far else (lambda: CASES[options.case](kind, options))
    if options.loop == "uvloop":
        import uvloop

        result = uvloop.run(work())
    else:
        result = asyncio.run(work())
    if not options.far:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
