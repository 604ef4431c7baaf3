"""Whose namespaces are whose: each run of the lab holds a lock, and what belongs to a dead run is removed by the next.

A namespace is called peerline-<process id>-<number>-<name>. The lock is one the kernel lets go of when the process
dies, however it dies; a process id alone would not do, since it may be somebody else's by now.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
from pathlib import Path

from peerline.lab import namespace
from peerline.lab.namespace import Namespace

LOCKS = Path("/run/peerline-lab")
_NAME = re.compile(r"peerline-(\d+)-\d+-.+")
_labs = itertools.count(1)
_held: dict[int, int] = {}  # process id -> descriptor of its lock: a forked child takes its own


def claim() -> str:
    """What the names of a new lab's namespaces begin with. Removes what dead runs have left behind."""
    pid = os.getpid()
    if pid not in _held:
        LOCKS.mkdir(mode=0o755, exist_ok=True)
        descriptor = _lock(pid)
        if descriptor is None:  # a child of the process that had our id before has kept it
            raise OSError(f"{LOCKS / str(pid)} is locked by somebody else")
        _remove_all_of(pid)
        _held[pid] = descriptor
    remove_stale()
    return f"peerline-{pid}-{next(_labs)}-"


def remove_stale() -> None:
    """Remove the namespaces of runs that are no more, and end what still runs in them."""
    LOCKS.mkdir(mode=0o755, exist_ok=True)
    known = {int(lock.name) for lock in LOCKS.iterdir() if lock.name.isdigit()}
    for pid in sorted(known | set(_owners().values())):
        if pid == os.getpid():
            continue
        descriptor = _lock(pid)
        if descriptor is not None:
            _remove_all_of(pid)
            (LOCKS / str(pid)).unlink(missing_ok=True)
            os.close(descriptor)


def _lock(pid: int) -> int | None:
    """The lock of this process, if nobody holds it."""
    file = LOCKS / str(pid)
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if file.exists() and os.path.samestat(os.fstat(descriptor), file.stat()):
            return descriptor
        os.close(descriptor)  # whoever held it has just removed the file: a lock on it would be seen by nobody


def _owners() -> dict[str, int]:
    if not namespace.DIRECTORY.is_dir():
        return {}
    found = ((one.name, _NAME.fullmatch(one.name)) for one in namespace.DIRECTORY.iterdir())
    return {name: int(match[1]) for name, match in found if match}


def _remove_all_of(pid: int) -> None:
    for name, owner in _owners().items():
        if owner == pid:
            Namespace(name).remove()
