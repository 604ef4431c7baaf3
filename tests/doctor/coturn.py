"""coturn, the TURN server that everybody has, on this machine: UDP, TCP and TLS, and a second address."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.authority import Authority
from peerline.doctor.stun.message import Kind, Method, write

USER, PASSWORD = "ann", "secret"
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
_THERE_WITHIN_S = 15.0


@dataclass(frozen=True)
class Coturn:
    """A running one."""

    port: int
    tls_port: int
    authority: Path
    """The certificate that vouches for it."""

    @property
    def flags(self) -> list[str]:
        """What `peerline doctor` is told to look at it."""
        urls = [f"turn:{HERE}:{self.port}", f"turn:{HERE}:{self.port}?transport=tcp", f"turns:{HERE}:{self.tls_port}"]
        return [*(word for url in urls for word in ("--turn", url)), "--user", f"{USER}:{PASSWORD}"]

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


@contextmanager
def coturn(folder: Path, *flags: str) -> Iterator[Coturn]:
    """Skips the test where there is no coturn."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("needs coturn (apt-get install coturn)")
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    certificate = authority.issue([HERE], folder / "server.pem")
    port, tls_port = _two_free_ports()
    command = [
        program, "-n", "--listening-ip", HERE, "--listening-ip", ELSEWHERE, "--relay-ip", HERE,
        "--listening-port", str(port), "--tls-listening-port", str(tls_port),
        "--alt-listening-port", str(port + 1), "--alt-tls-listening-port", str(tls_port + 1),
        "--cert", str(certificate), "--pkey", str(certificate), "--no-dtls", "--no-cli",
        "--lt-cred-mech", "--user", f"{USER}:{PASSWORD}", "--realm", "tests", "--log-file", "stdout",
        "--userdb", str(folder / "users.sqlite"), "--pidfile", str(folder / "pid"), *flags,
    ]  # fmt: skip
    log = folder / "log.txt"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            deadline = time.monotonic() + _THERE_WITHIN_S
            while not (_listens(tls_port) and _answers(port)):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline, log.read_text(errors="replace")
                time.sleep(0.02)
            yield Coturn(port, tls_port, authority.certificate)
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HERE, port)) == 0


def _answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.1)
        client.connect((HERE, port))
        try:
            client.send(write(Method.BINDING, Kind.REQUEST, b"are you here"))
            return len(client.recv(1000)) > 0
        except OSError:
            return False


def _two_free_ports() -> tuple[int, int]:
    """Each with a free one above it. Below what the system and our relays give out: nobody comes in between."""
    found: list[int] = []
    for port in range(14_000 + int(time.time() * 1000) % 4_000, 19_900, 3):
        if all(_is_free(kind, p) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM) for p in (port, port + 1)):
            found.append(port)
            if len(found) == 2:
                return found[0], found[1]
    raise AssertionError("no free ports")


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
