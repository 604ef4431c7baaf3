"""Load on a WebSocket signaling server: idle memory, greatest rate, latency at a fixed rate. One JSON line at the end.

python generator.py --url ws://127.0.0.1:9000 --adapter protocols:Peerline --pid 1234 --conns 2000 --pairs 200
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

sys.path.insert(0, str(Path(__file__).parent))
READY = importlib.import_module("protocols").READY
RAMP = 100
SOURCES = 20  # client addresses 127.0.0.2 …: one alone runs out of ports


class Client(WSListener):
    """One connection; `mode` of the run says what happens to a relayed message."""

    def __init__(self, cid: int, run: Run) -> None:
        self.cid = cid
        self.run = run
        self.ready = False
        self.state: dict[str, Any] = {}
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, frame: bytes) -> None:
        self.transport.send(WSMsgType.TEXT, frame)

    def speak(self) -> None:
        """One message to the other of the pair."""
        self.send(self.run.adapter.encode(self, self.cid ^ 1, time.time_ns()))

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.run.adapter.on_open(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.run.lost += 1
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed before it was ready"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        told = self.run.adapter.on_frame(self, frame.get_payload_as_memoryview())
        if told is None:
            return
        if told is READY:
            self.ready = True
            if not self.opened.done():
                self.opened.set_result(None)
            return
        self.run.received += 1
        if self.run.mode == "closed":
            self.speak()
        elif self.run.mode == "open":
            self.run.latencies.append(time.time_ns() - told)


class Run:
    """All clients and what was counted."""

    def __init__(self, adapter: Any, options: argparse.Namespace) -> None:
        self.adapter = adapter
        self.options = options
        self.mode = ""
        self.received = 0
        self.lost = 0
        self.latencies: list[int] = []
        self.server = psutil.Process(options.pid)
        self.clients: list[Client] = []

    async def connect(self) -> None:
        """All connections, pairs next to each other."""
        gate = asyncio.Semaphore(RAMP)

        async def one(cid: int) -> Client:
            async with gate:
                client = Client(cid, self)
                await ws_connect(
                    lambda: client,
                    self.adapter.url(cid),
                    extra_headers=self.adapter.headers,
                    read_buffer_init_size=4096,
                    use_aiofastnet=False,
                    local_addr=(f"127.0.0.{2 + cid % SOURCES}", 0),
                )
                await asyncio.wait_for(client.opened, 20)
                return client

        self.clients = list(await asyncio.gather(*(one(cid) for cid in range(self.options.conns))))

    async def beat(self) -> None:
        """Heartbeats, spread evenly."""
        slices = 200
        index = 0
        while True:
            await asyncio.sleep(self.adapter.hb / slices)
            for client in self.clients[index::slices]:
                client.send(self.adapter.heartbeat())
            index = (index + 1) % slices

    def cpu_s(self) -> float:
        """CPU of the server, all its processes."""
        return sum(sum(p.cpu_times()[:2]) for p in (self.server, *self.server.children(recursive=True)))

    def rss(self) -> int:
        """Memory of the server, all its processes, bytes."""
        return sum(p.memory_info().rss for p in (self.server, *self.server.children(recursive=True)))

    async def closed_loop(self) -> dict[str, float]:
        """Every pair keeps one message each way in flight: the greatest rate."""
        self.mode = "closed"
        for client in self.clients[: 2 * self.options.pairs]:
            client.speak()
        await asyncio.sleep(0.7)
        count, cpu, began = self.received, self.cpu_s(), time.monotonic()
        await asyncio.sleep(self.options.secs)
        took = time.monotonic() - began
        count, cpu = self.received - count, self.cpu_s() - cpu
        self.mode = ""
        await asyncio.sleep(0.5)
        return {"msgs_per_s": count / took, "msgs_per_cpu_s": count / cpu, "us_cpu_per_msg": 1e6 * cpu / count}

    async def open_loop(self) -> dict[str, float]:
        """A fixed rate: latency from send to receive."""
        self.mode = "open"
        self.latencies.clear()
        active = self.clients[: 2 * self.options.pairs]
        began, sent, cpu = time.monotonic(), 0, self.cpu_s()
        while (passed := time.monotonic() - began) < self.options.secs:
            for _ in range(min(int(passed * self.options.rate) - sent, 2000)):
                active[sent % len(active)].speak()
                sent += 1
            await asyncio.sleep(0.001)
        cpu = self.cpu_s() - cpu
        await asyncio.sleep(0.5)
        self.mode = ""
        ordered = sorted(self.latencies)
        at = {f"p{p}_ms": ordered[min(len(ordered) - 1, int(p / 100 * len(ordered)))] / 1e6 for p in (50, 90, 99)}
        return {"rate": self.options.rate, "sent": sent, "received": len(ordered), "cpu_pct": 100 * cpu / passed, **at}


async def main(options: argparse.Namespace) -> None:
    module, _, name = options.adapter.partition(":")
    adapter = getattr(importlib.import_module(module), name)(options.url, options.payload)
    run = Run(adapter, options)
    before = run.rss()
    await run.connect()
    beating = asyncio.ensure_future(run.beat())
    result: dict[str, Any] = {"conns": len(run.clients), "pairs": options.pairs, "payload": options.payload}
    await asyncio.sleep(options.idle)
    result["rss_per_conn_kb"] = (run.rss() - before) / len(run.clients) / 1024
    gc.collect()
    gc.disable()
    result["closed"] = await run.closed_loop()
    result["open"] = await run.open_loop()
    result["lost"] = run.lost
    beating.cancel()
    print(json.dumps(result))
    sys.stdout.flush()
    os._exit(0)  # two thousand goodbyes are not measured


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--url", required=True)
    p.add_argument("--adapter", required=True)
    p.add_argument("--pid", type=int, required=True, help="the server's process")
    p.add_argument("--conns", type=int, default=2000)
    p.add_argument("--pairs", type=int, default=200)
    p.add_argument("--payload", type=int, default=300)
    p.add_argument("--secs", type=float, default=5)
    p.add_argument("--idle", type=float, default=1.5)
    p.add_argument("--rate", type=float, default=10_000)
    uvloop.run(main(p.parse_args()))
