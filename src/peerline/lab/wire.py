"""A cable that can be bad: a process that carries packets between a host and the switch, late, slow or not at all.

Linux can do that by itself (tc netem), where it was built with it; many kernels were not. This needs TAP devices only,
loses what a seed says, and asks the same `Link` as the simulator. A packet costs some 10 µs of CPU.

Run as `python -m peerline.lab.wire PLUG TAP SEED`. It prints a line when it is there, then reads a line for each
change, {"up": {"loss": 0.1, …}, "down": {…}}, and answers each with a line. It ends when its input does.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import select
import socket
import struct
import sys
import time
from random import Random

from peerline.lab.link import Link, Quality

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_LARGEST = 65_536
_ETHERNET_BYTES = 14
_ETHERTYPE, _IPV4 = slice(12, 14), b"\x08\x00"
_BATCH = 64


def main() -> None:
    """Carry frames until the input ends."""
    plug, tap, seed = sys.argv[1:]
    random = Random(int(seed))
    wire = Wire(open_plug(plug), open_tap(tap), Link(random), Link(random))
    print("ready", flush=True)
    wire.run()


class Wire:
    """Both directions of one cable: up is from the host to the switch."""

    def __init__(self, plug: socket.socket, tap: int, up: Link, down: Link) -> None:
        self._plug = plug
        self._tap = tap
        self._up = up
        self._down = down
        self._waiting: list[tuple[float, int, bool, bytes]] = []  # (due, order, goes up, frame)
        self._order = 0

    def run(self) -> None:
        """Until the input ends."""
        commands = sys.stdin.fileno()
        text = b""
        while True:
            patience = None if not self._waiting else max(0.0, self._waiting[0][0] - time.monotonic())
            readable, _, _ = select.select([self._plug, self._tap, commands], [], [], patience)
            if commands in readable:
                given = os.read(commands, 4096)
                if not given:
                    return
                *lines, text = (text + given).split(b"\n")
                for line in lines:
                    self._change(line)
            if self._plug in readable:
                self._take_from_plug()
            if self._tap in readable:
                self._take_from_tap()
            self._deliver()

    def _change(self, line: bytes) -> None:
        told = json.loads(line)
        self._up.quality, self._down.quality = Quality(**told["up"]), Quality(**told["down"])
        print("changed", flush=True)

    def _take_from_plug(self) -> None:
        for _ in range(_BATCH):
            try:
                self._carry(self._up, self._plug.recv(_LARGEST), goes_up=True)
            except BlockingIOError:
                return

    def _take_from_tap(self) -> None:
        for _ in range(_BATCH):
            try:
                self._carry(self._down, os.read(self._tap, _LARGEST), goes_up=False)
            except BlockingIOError:
                return

    def _carry(self, link: Link, frame: bytes, *, goes_up: bool) -> None:
        now = time.monotonic()
        # What is no IPv4 is ARP: how the cable's ends find each other is none of the packets' business.
        is_packet = frame[_ETHERTYPE] == _IPV4
        due = link.carry(now, len(frame) - _ETHERNET_BYTES) if is_packet else now
        if due is not None:
            self._order += 1
            heapq.heappush(self._waiting, (due, self._order, goes_up, frame))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, goes_up, frame = heapq.heappop(self._waiting)
            try:
                if goes_up:
                    os.write(self._tap, frame)
                else:
                    self._plug.send(frame)
            except OSError:
                pass  # the other end is full or being taken down: a cable loses such frames


def open_plug(name: str) -> socket.socket:
    """All frames that the host sends, and a way to send it some."""
    plug = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    plug.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    plug.bind((name, 0))
    plug.setblocking(False)
    return plug


def open_tap(name: str) -> int:
    """A network device made of this process. It is gone when the process is."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return tap


if __name__ == "__main__":
    main()
