"""What a connected pair with audio and video keeps that nobody sends."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from typing import Any

import psutil

from .pair import close, connect, connection

__all__ = ["idle"]

WARM = 3
COUNT = 97


async def idle(implementation: str, seconds: float) -> dict[str, float]:
    """Memory, threads and CPU, of both ends together."""
    process = psutil.Process(os.getpid())

    async def pair() -> tuple[Any, Any]:
        a, b = connection(implementation), connection(implementation)
        for kind in ("audio", "video"):
            a.addTransceiver(kind)
        await connect(a, b)
        return a, b

    kept = [await pair() for _ in range(WARM)]
    gc.collect()
    memory, threads = process.memory_info().rss, threading.active_count()
    kept += [await pair() for _ in range(COUNT)]
    gc.collect()
    begin = time.process_time()
    await asyncio.sleep(seconds)
    result = {
        "kib_a_pair": (process.memory_info().rss - memory) / COUNT / 1024,
        "threads_a_pair": (threading.active_count() - threads) / COUNT,
        # A hundred pairs are two hundred of them.
        "cpu_percent_of_200_connections": (time.process_time() - begin) / seconds * 100,
    }
    for ends in kept:
        await close(*ends)
    return result
