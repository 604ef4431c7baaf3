"""A real server in a process of its own: start it, kill it, start it again, read what it wrote."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

PEERLINE = str(Path(sys.executable).parent / "peerline")
_START_WITHIN_S = 30.0
_STOP_WITHIN_S = 15.0

# Tests talk fast and register often; the tests of a limit set it themselves.
LIFTED: dict[str, dict[str, float]] = {
    "limits": {"rate": 10_000, "burst": 20_000, "calls_per_minute": 100_000, "hellos_per_minute": 100_000},
    "signaling": {},
}


def write_settings(folder: Path, **changes: dict[str, float]) -> Path:
    """A configuration file with the limits lifted and these changes on top: `signaling={"hold_s": 1}`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for table, values in LIFTED.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in (values | changes.get(table, {})).items()]
    file = folder / "peerline.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


class ServerProcess:
    """One server. Its folder holds the data, the settings and all that it printed."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.folder = folder
        self.port = 0
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._printed_before = 0
        self._held: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server was never started"
        return self._process

    def start(self) -> ServerProcess:
        """Start it and wait for its first line; the first start picks a port, later ones keep it."""
        output = self.folder / "output.txt"
        self._printed_before = output.stat().st_size if output.exists() else 0
        with output.open("ab") as out, (self.folder / "errors.txt").open("ab") as errors:
            self._process = subprocess.Popen(
                [*self._command, "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )
        deadline = time.monotonic() + _START_WITHIN_S
        while b"\n" not in (printed := output.read_bytes()[self._printed_before :]):
            assert self._process.poll() is None, f"the server ended at once:\n{self.printed()}"
            assert time.monotonic() < deadline, f"the server did not come up:\n{self.printed()}"
            time.sleep(0.02)
        self._let_go()
        first = printed.split(b"\n")[0].decode()
        assert first.startswith("http://localhost:"), f"the first line is {first!r}"
        self.port = int(first.rpartition(":")[2])
        return self

    def stop(self) -> int:
        """SIGTERM; return the exit code."""
        self.process.terminate()
        code = self.process.wait(_STOP_WITHIN_S)
        self._hold()
        return code

    def kill(self) -> None:
        """SIGKILL: it has no time to say anything."""
        self.process.kill()
        self.process.wait(_STOP_WITHIN_S)
        self._hold()

    def end(self) -> None:
        """Whatever state it is in, it is gone afterwards."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._let_go()

    def _hold(self) -> None:
        """Nobody else is given the port until the server is there again, which may have it all the same."""
        self._let_go()
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody was quicker
            self._held.bind(("127.0.0.1", self.port))

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def printed(self) -> str:
        """All that it wrote to standard output and standard error."""
        return "".join(
            (self.folder / name).read_text(errors="replace")
            for name in ("output.txt", "errors.txt")
            if (self.folder / name).exists()
        )

    def memory_bytes(self) -> int:
        rss: int = psutil.Process(self.process.pid).memory_info().rss
        return rss


def standalone(folder: Path, *flags: str, **settings: dict[str, Any]) -> ServerProcess:
    """`peerline serve`: the WebSocket's fast path."""
    file = write_settings(folder, **settings)
    ports = ["--stun-port", "0", "--turn-port", "0"]
    command = [PEERLINE, "serve", "--host", "127.0.0.1", *ports, "--data-dir", str(folder), "--config", str(file)]
    # Nobody is there but those whom a test lets in; `--echo` after it changes that.
    command.append("--no-echo")
    return ServerProcess(folder, [*command, *flags])


def create_token(folder: Path, name: str, *flags: str) -> str:
    """A token made with the command line, by the secret in this folder."""
    made = subprocess.run(
        [PEERLINE, "token", "create", "--name", name, "--data-dir", str(folder), *flags],
        capture_output=True, check=True, text=True, timeout=30,
    )  # fmt: skip
    return made.stdout.strip()
