"""A bad path over loopback: a process with two UDP ports, which carries what comes to one port on from the other.

It sends to the last address that was heard at the port that it sends from: whoever waits for packets says something
first, as the checks of ICE do. It loses what a seed says, and asks the same `Link` as the simulator. It is a process of
its own because the timers of one that encodes pictures, too, would be late. A packet costs some 10 µs of CPU.

Run as `python -m peerline.lab.udp_relay ADDRESS SEED`; BadPath (bad_path.py) does. It prints its two ports, then reads
lines and answers each with one: {"up": {"loss": 0.1, …}, "down": {…}} makes the path so from now on, null just asks.
The answer is how many packets were forwarded and lost. Up is from the first port to the second. It ends when its input
does.
"""

from __future__ import annotations

import heapq
import json
import os
import select
import socket
import sys
import time
from random import Random
from typing import Any

from peerline.lab.link import Link, Quality

_BUFFER_BYTES = 4 << 20
_LARGEST = 65_536
_HEADER_BYTES = 28  # of IPv4 and UDP: they take their time where there is a rate
_BATCH = 64


def main() -> None:
    """Carry packets until the input ends."""
    address, seed = sys.argv[1:]
    one, other = open_port(address), open_port(address)
    # Each with a chance of its own: what one side sends does not change what the other loses.
    up, down = Link(Random(f"{seed} up")), Link(Random(f"{seed} down"))
    relay = Relay(Way(one, other, up), Way(other, one, down))
    print(json.dumps([port.getsockname()[1] for port in (one, other)]), flush=True)
    relay.run()


def open_port(address: str) -> socket.socket:
    """A new one, with buffers that hold whatever comes while this process waits for its turn."""
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        port.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    port.bind((address, 0))
    port.setblocking(False)
    return port


class Way:
    """One direction: from one port to the other."""

    def __init__(self, source: socket.socket, target: socket.socket, link: Link) -> None:
        self.source = source
        self.link = link
        self.heard: Any = None
        """The address that spoke last."""
        self.forwarded = 0
        self.lost = 0
        self._target = target
        self._waiting: list[tuple[float, int, bytes]] = []  # (due, order, packet)
        self._order = 0

    @property
    def due(self) -> float | None:
        """When the next packet is to leave."""
        return self._waiting[0][0] if self._waiting else None

    def take(self) -> None:
        """What has come: some of it is lost, the rest waits until it is due."""
        for _ in range(_BATCH):
            try:
                packet, self.heard = self.source.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            due = self.link.carry(time.monotonic(), len(packet) + _HEADER_BYTES)
            if due is None:
                self.lost += 1
            else:
                self._order += 1
                heapq.heappush(self._waiting, (due, self._order, packet))

    def give(self, address: Any) -> None:
        """What is due, to this address; lost if that is not known yet."""
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, packet = heapq.heappop(self._waiting)
            if address is not None and self._send(packet, address):
                self.forwarded += 1
            else:
                self.lost += 1

    def _send(self, packet: bytes, address: Any) -> bool:
        try:
            self._target.sendto(packet, address)
        except OSError:
            return False  # the buffer is full, or there is no way to that address
        return True


class Relay:
    """Both directions and the commands."""

    def __init__(self, up: Way, down: Way) -> None:
        self._up = up
        self._down = down

    def run(self) -> None:
        """Until the input ends."""
        commands = sys.stdin.fileno()
        sources = {way.source: way for way in (self._up, self._down)}
        text = b""
        while True:
            readable, _, _ = select.select([*sources, commands], [], [], self._patience())
            for one in readable:
                if one in sources:
                    sources[one].take()
            if commands in readable:
                given = os.read(commands, 4096)
                if not given:
                    return
                *lines, text = (text + given).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
            self._up.give(self._down.heard)
            self._down.give(self._up.heard)

    def _patience(self) -> float | None:
        dues = [way.due for way in (self._up, self._down) if way.due is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _obey(self, told: dict[str, dict[str, Any]] | None) -> None:
        ways = {"up": self._up, "down": self._down}
        for name, quality in (told or {}).items():
            ways[name].link.quality = Quality(**quality)
        answer = {name: {"forwarded": way.forwarded, "lost": way.lost} for name, way in ways.items()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
