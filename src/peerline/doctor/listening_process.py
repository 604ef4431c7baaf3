"""The process that listens on a TCP port of this machine, as far as Linux shows it to us (/proc)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Descriptors:
    """How many a process has open, and how many it may."""

    used: int
    limit: int


def descriptors_of_listener(port: int, proc: Path = PROC) -> Descriptors | None:
    """None if nobody listens, or it is somebody else's process."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port, proc)}
    if not sockets:
        return None
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        try:
            opened = [_target(one) for one in (process / "fd").iterdir()]
            if sockets.isdisjoint(opened):
                continue
            limits = (process / "limits").read_text()
        except OSError:
            continue  # not ours to look at, or gone meanwhile
        match = re.search(r"^Max open files\s+(\d+)", limits, re.M)
        if match is not None:
            return Descriptors(len(opened), int(match[1]))
    return None


def _target(descriptor: Path) -> str:
    """What it stands for; empty if it was closed meanwhile."""
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return ""


def _listening(port: int, proc: Path) -> list[str]:
    """Inodes of the sockets that listen there."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if len(columns) > 9 and columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                found.append(columns[9])
    return found
