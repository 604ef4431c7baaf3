"""The TURN servers that the matrix can be run with, by name: `--turn NAME`."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.waiting import until
from peerline.lab import Host

USER, PASSWORD = "ann", "secret"
PORT, TLS_PORT = 3478, 5349

# The page makes its connections with the servers that it was told by its own server, and these.
_GIVE = """(() => {
  const more = %s;
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(given = {}) {
      super({ ...given, iceServers: [...(given.iceServers ?? []), ...more] });
    }
  };
})()"""


@asynccontextmanager
async def coturn(host: Host, certificate: Path, folder: Path) -> AsyncIterator[str]:
    """Runs coturn at the host's last address, until the end; gives the script that tells a page of it."""
    address, log = host.addresses[-1], folder / "coturn.txt"
    command = [
        "turnserver", "-n", "--listening-ip", address, "--relay-ip", address,
        "--listening-port", str(PORT), "--tls-listening-port", str(TLS_PORT),
        "--cert", str(certificate), "--pkey", str(certificate), "--no-dtls", "--no-cli",
        "--lt-cred-mech", "--user", f"{USER}:{PASSWORD}", "--realm", "lab", "--log-file", "stdout",
        "--userdb", str(folder / "coturn.sqlite"), "--pidfile", str(folder / "coturn.pid"),
    ]  # fmt: skip
    with log.open("wb") as out, host.popen(command, stdout=out, stderr=out) as program:

        async def is_there() -> bool:
            assert program.poll() is None, log.read_text(errors="replace")
            with host.socket(socket.SOCK_STREAM) as client:
                return client.connect_ex((address, TLS_PORT)) == 0

        await until("coturn", is_there)
        urls = [f"turn:{address}:{PORT}", f"turn:{address}:{PORT}?transport=tcp"]
        urls.append(f"turns:{address}:{TLS_PORT}?transport=tcp")
        yield _GIVE % json.dumps([{"urls": urls, "username": USER, "credential": PASSWORD}])


@dataclass(frozen=True)
class Relay:
    """A TURN server, and what `peerline serve` has to be told besides."""

    run: Callable[[Host, Path, Path], AbstractAsyncContextManager[str]]
    serve_flags: tuple[str, ...] = ()


@asynccontextmanager
async def ours(host: Host, certificate: Path, folder: Path) -> AsyncIterator[str]:
    """The one inside `peerline serve`: its pages know of it already."""
    yield ""


# The addresses of the lab are those of documentation, which no relay reaches by itself.
RELAYS = {
    "coturn": Relay(coturn, ("--no-turn",)),
    "peerline": Relay(ours, ("--allow-peer", "203.0.113.0/24")),
}
