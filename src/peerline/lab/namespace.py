"""A Linux network namespace: made, configured, entered, and removed with all that runs in it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peerline.lab.errors import LabError

DIRECTORY = Path("/run/netns")  # where `ip netns` keeps them
_CLONE_NEWNET = 0x40000000
_GONE_WITHIN_S = 5.0


class Namespace:
    """One namespace, by its full name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def make(cls, name: str) -> Namespace:
        """A fresh one, with nothing but a loopback. Raises LabError if the kernel or another namespace objects."""
        made = cls(name)
        _run(["ip", "netns", "add", name])
        # IPv6 would only chatter: the lab's addresses are IPv4.
        made.set("net.ipv6.conf.all.disable_ipv6", 1)
        made.set("net.ipv6.conf.default.disable_ipv6", 1)
        made.ip("link set lo up")
        return made

    def command(self, *argv: str) -> list[str]:
        """What to run on this machine so that `argv` runs in the namespace. It becomes that process: same id."""
        return ["ip", "netns", "exec", self.name, *argv]

    def ip(self, *lines: str) -> None:
        """Commands of `ip`, one a line. Raises LabError with its complaint at the first that fails."""
        _run(["ip", "-n", self.name, "-batch", "-"], "\n".join(lines) + "\n")

    def nft(self, ruleset: str) -> None:
        """Make this the namespace's whole rule set, in one step."""
        _run(self.command("nft", "-f", "-"), "flush ruleset\n" + ruleset)

    def set(self, key: str, value: int) -> None:
        """Set a kernel variable of the namespace (sysctl)."""
        with self.entered():
            Path("/proc/sys", key.replace(".", "/")).write_text(str(value))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Within, this thread is in the namespace: a socket made now stays there for ever. Do not await within."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            there = os.open(DIRECTORY / self.name, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _enter(there)
            finally:
                os.close(there)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)

    def processes(self) -> list[int]:
        """The ids of all processes in it."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True)
        return [int(pid) for pid in listed.stdout.split() if int(pid) != os.getpid()]

    def remove(self) -> None:
        """End all that runs in it, then it. Removing again does nothing."""
        deadline = time.monotonic() + _GONE_WITHIN_S
        while (pids := self.processes()) and time.monotonic() < deadline:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)


def _enter(descriptor: int) -> None:
    # os.setns is there from Python 3.12 on only.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(command: list[str], given: str = "") -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(
            f"{' '.join(command)}: {done.stderr.strip()}",
            code="lab_system",
            hint=f"It was given:\n{given}" if given else None,
        )
