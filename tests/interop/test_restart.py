"""ICE restarts during a transfer lose nothing."""

from __future__ import annotations

import asyncio

import pytest

from interop.conftest import Pair
from interop.end import digest_of_zeros


@pytest.mark.parametrize("other", ["chromium", "peerline"], indirect=True)
@pytest.mark.parametrize("restarter", ["offerer", "answerer"])
async def test_a_restart_during_a_transfer_loses_nothing(pair: Pair, restarter: str) -> None:
    await pair.offerer.create_channel("bulk")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("bulk"), pair.theirs.opened("bulk"))
    count, size = 2048, 16_384
    receiving = asyncio.ensure_future(pair.theirs.digest("bulk", count * size))
    sending = asyncio.ensure_future(pair.ours.send_zeros("bulk", count, size))
    if restarter == "answerer":
        pair.offerer, pair.answerer = pair.answerer, pair.offerer
    await pair.connect(restart=True)
    await sending
    assert await receiving == digest_of_zeros(count, size)
