"""What `peerline doctor` writes to a terminal: colour, and what runs meanwhile."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from system.server_process import PEERLINE, ServerProcess, standalone


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = standalone(tmp_path_factory.mktemp("server"), "--no-db").start()
    yield running
    running.end()


def on_a_terminal(folder: Path, *flags: str, **environment: str) -> str:
    """All that the command writes there."""
    ours, theirs = pty.openpty()
    command = [PEERLINE, "doctor", *flags]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={"HOME": str(folder), "TERM": "xterm", **environment}
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65_536):
                written += piece
        except OSError:
            pass  # the other end is closed
        os.close(ours)
        assert process.wait() == 0, written
    return written.decode()


def test_marks_have_colours_and_progress_is_wiped_away(server: ServerProcess, tmp_path: Path) -> None:
    written = on_a_terminal(tmp_path, "--server", server.url)
    assert "\x1b[32m✓\x1b[0m Signaling over WebSocket" in written
    assert "\x1b[33m!\x1b[0m Relay over UDP" in written
    assert "… Signaling over WebSocket, Signaling over HTTP" in written
    shown = [line.rpartition("\r\x1b[K")[2] for line in written.replace("\r\n", "\n").split("\n")]
    assert not any("…" in line for line in shown), "nothing of it is left"


def test_who_wants_no_colour_gets_none(server: ServerProcess, tmp_path: Path) -> None:
    written = on_a_terminal(tmp_path, "--server", server.url, NO_COLOR="1")
    assert "✓ Signaling over WebSocket" in written
    assert "\x1b[32m" not in written


def test_a_dumb_terminal_gets_lines_alone(server: ServerProcess, tmp_path: Path) -> None:
    assert "\x1b" not in on_a_terminal(tmp_path, "--server", server.url, TERM="dumb")
