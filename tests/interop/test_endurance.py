"""Much data, and many connections: nothing is lost, and nothing is left behind. `make peer-endurance` runs these."""

from __future__ import annotations

import asyncio
import gc
import os
import threading

import psutil
import pytest

from interop.conftest import Pair
from interop.end import connect, digest_of_zeros
from interop.python_end import PeerlineEnd

pytestmark = pytest.mark.long

GIGABYTE = 1_000_000_000
CONNECTIONS = 1000


# First of all: what the others leave in the heap would hide a leak.
async def test_a_thousand_connections_leave_nothing_behind() -> None:
    process = psutil.Process()

    async def open_and_close(count: int) -> tuple[int, int, int]:
        for _ in range(count):
            ends = PeerlineEnd(), PeerlineEnd()
            await ends[0].create_channel("x")
            await connect(*ends)
            await asyncio.gather(*(end.opened("x") for end in ends))
            for end in ends:
                await end.close()
        await asyncio.sleep(0.5)
        gc.collect()
        return process.memory_info().rss, threading.active_count(), len(os.listdir("/proc/self/fd"))

    # Allocators and caches fill up first.
    await open_and_close(CONNECTIONS)
    memory_0, threads_0, descriptors_0 = await open_and_close(10)
    memory, threads, descriptors = await open_and_close(CONNECTIONS)
    assert threads == threads_0
    assert descriptors == descriptors_0
    # Half a kilobyte each would be a leak; the allocator's own noise is less.
    assert memory - memory_0 < CONNECTIONS * 512


@pytest.mark.parametrize("other", ["peerline"], indirect=True)
async def test_a_gigabyte_arrives_intact(pair: Pair) -> None:
    await pair.offerer.create_channel("bulk")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("bulk"), pair.theirs.opened("bulk"))
    size = 62_500
    count = GIGABYTE // size
    digest, _ = await asyncio.gather(
        pair.theirs.digest("bulk", count * size), pair.ours.send_zeros("bulk", count, size)
    )
    assert digest == digest_of_zeros(count, size)
