"""Puts a bad cable (wire.py) between a host and the switch, changes it, and takes it out again."""

from __future__ import annotations

import array
import dataclasses
import fcntl
import json
import socket
import struct
import subprocess
import sys

from peerline.lab.errors import LabError
from peerline.lab.host import INTERFACE, Host
from peerline.lab.link import Quality
from peerline.lab.namespace import Namespace

_SIOCETHTOOL, _ETHTOOL_STXCSUM = 0x8946, 0x17


class Shaper:
    """The cable of one host. It is a plain one until somebody wants it worse."""

    def __init__(self, switch: Namespace, bridge: str, host: Host, seed: int) -> None:
        self._switch = switch
        self._bridge = bridge
        self._host = host
        self._seed = seed
        self._wire: subprocess.Popen[bytes] | None = None
        self.up = self.down = Quality()

    def apply(self) -> None:
        """Make the cable what `up` and `down` say now."""
        if self.up.is_perfect and self.down.is_perfect:
            if self._wire is not None:
                self.close()
                self._switch.ip(f"link set {self._host.port} master {self._bridge}")
            return
        if self._wire is None:
            self._insert()
        told = {"up": dataclasses.asdict(self.up), "down": dataclasses.asdict(self.down)}
        self._tell(json.dumps(told).encode() + b"\n")

    def close(self) -> None:
        """Take the bad cable out. Without another the host hangs in the air."""
        if self._wire is not None:
            self._wire.kill()
            self._wire.communicate()
            self._wire = None

    def _insert(self) -> None:
        plug, tap = self._host.port, "w" + self._host.port
        with self._host.namespace.entered():
            _send_whole_packets(INTERFACE)
        self._wire = subprocess.Popen(
            self._switch.command(sys.executable, "-m", "peerline.lab.wire", plug, tap, str(self._seed)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._expect(b"ready\n")
        self._switch.ip(f"link set {plug} nomaster", f"link set {tap} master {self._bridge} up")

    def _tell(self, line: bytes) -> None:
        assert self._wire is not None
        assert self._wire.stdin is not None
        try:
            self._wire.stdin.write(line)
        except BrokenPipeError:
            pass  # then there is no answer either
        self._expect(b"changed\n")

    def _expect(self, line: bytes) -> None:
        assert self._wire is not None
        assert self._wire.stdout is not None
        if self._wire.stdout.readline() != line:
            raise LabError(f"the cable of {self._host.name} broke", code="lab_system", hint="Its errors stand above.")


def _send_whole_packets(interface: str) -> None:
    """Have the kernel finish packets before they leave: checksums written, nothing for a card to cut into pieces."""
    value = array.array("B", struct.pack("II", _ETHTOOL_STXCSUM, 0))
    address, _ = value.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCETHTOOL, struct.pack("16sP16x", interface.encode(), address))
