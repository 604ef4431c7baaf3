"""Ports that somebody else has."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def occupied(kind: str, *, listens: bool = True) -> Iterator[int]:
    """A port that is taken for "udp", or else for TCP, and free for the other. Who does not listen refuses all."""
    with ExitStack() as tried:
        while True:
            udp = tried.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            tcp = tried.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            taken, free = (udp, tcp) if kind == "udp" else (tcp, udp)
            taken.bind(("127.0.0.1", 0))
            port: int = taken.getsockname()[1]
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            free.close()
            if taken is tcp and listens:
                tcp.listen(1)
            yield port
            return
