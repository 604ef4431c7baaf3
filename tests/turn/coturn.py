"""coturn's client and its peer, `turnutils_uclient` and `turnutils_peer` (Debian's package coturn)."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from client.turn_message import Address


@dataclass(frozen=True)
class Run:
    """What a run of the client said."""

    code: int
    said: str

    @property
    def sent(self) -> int:
        return self._last(r"tot_send_msgs=(\d+)")

    @property
    def received(self) -> int:
        return self._last(r"tot_recv_msgs=(\d+)")

    def _last(self, pattern: str) -> int:
        found = re.findall(pattern, self.said)
        return int(found[-1]) if found else 0


def uclient(server: Address, peer: Address, *flags: str, patience_s: float = 90.0) -> Run:
    """Two clients that send twenty packets each, as user ann, unless the flags say otherwise."""
    where = ["-e", peer[0], "-r", str(peer[1]), "-p", str(server[1])]
    who = ["-u", "guest"] if "-W" in flags else ["-u", "ann", "-w", "pass"]
    command = ["turnutils_uclient", *where, *who, "-n", "20", "-m", "2", *flags, server[0]]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=patience_s)
    except subprocess.TimeoutExpired as error:
        return Run(-1, f"it did not end: {error.stdout!r}")
    return Run(done.returncode, done.stdout + done.stderr)


@contextmanager
def peer(host: str = "127.0.0.1") -> Iterator[Address]:
    """Gives back what it gets, on this port and the next."""
    if shutil.which("turnutils_peer") is None:
        pytest.skip("needs coturn's clients (apt-get install coturn)")
    address = host, _free_pair(host)
    with subprocess.Popen(
        ["turnutils_peer", "-L", host, "-p", str(address[1])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        yield address
        assert program.poll() is None, "the peer has died"
        program.kill()


def _free_pair(host: str) -> int:
    """An even port, and the next one is free as well."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(10_100, 11_000, 2):
        with socket.socket(family, socket.SOCK_DGRAM) as even, socket.socket(family, socket.SOCK_DGRAM) as odd:
            try:
                even.bind((host, port))
                odd.bind((host, port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no two ports are free")
