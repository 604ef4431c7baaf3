"""SIGINT, SIGTERM and SIGHUP of a server: leave, and read the settings again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable


def on_signals(*, leave: Callable[[], None], reload: Callable[[], None]) -> None:
    """Call these on the running loop. A terminal that is closed sends SIGHUP too: then it means to leave."""
    had_terminal = _has_terminal()

    def hung_up() -> None:
        if had_terminal and not _has_terminal():
            leave()
        else:
            reload()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leave)
    loop.add_signal_handler(signal.SIGHUP, hung_up)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
