"""A real `peerline turn` in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from system.server_process import PEERLINE

_PATIENCE_S = 30.0


class TurnProcess:
    """Started at once; what it prints can be waited for."""

    def __init__(self, folder: Path, *flags: str, before: Callable[[], None] | None = None) -> None:
        """`before` is run in the new process, ahead of its program."""
        ports = ["--turn-port", "0", "--turn-tls-port", "0", "--relay-ports", "20000-60000"]
        self._errors_path = folder / "errors.txt"
        with self._errors_path.open("ab") as errors:
            self.process = subprocess.Popen(
                [PEERLINE, "turn", *ports, *flags],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=before,
            )  # fmt: skip
        self.lines: list[str] = []
        self._has_ended = False
        self._arrived = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, beginning: str) -> str:
        """The first line that begins so, for any number of threads. AssertionError if it ends without one."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._has_ended or self._first(beginning) is not None, _PATIENCE_S)
            line = self._first(beginning)
        assert line is not None, f"it ended or fell silent without {beginning!r}: {self.lines} {self.errors()}"
        return line

    def address(self, kind: str) -> tuple[str, int]:
        """Where it listens with "udp", "tcp" or "tls"."""
        host, _, port = self.wait_for(f"listening {kind} ").split()[2].rpartition(":")
        return host.strip("[]"), int(port)

    def errors(self) -> str:
        """What it wrote to standard error."""
        return self._errors_path.read_text()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """The exit code, when it has ended by itself."""
        return self.process.wait(_PATIENCE_S)

    def end(self) -> None:
        """Whatever state it is in, it is gone afterwards."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(_PATIENCE_S)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._arrived:
                self.lines.append(line.rstrip("\n"))
                self._arrived.notify_all()
        with self._arrived:
            self._has_ended = True
            self._arrived.notify_all()

    def _first(self, beginning: str) -> str | None:
        return next((line for line in self.lines if line.startswith(beginning)), None)
