"""Data channels with Chromium, aiortc and our own, whoever offers."""

from __future__ import annotations

import asyncio
import os

import pytest

from interop.conftest import MakeEnd, Pair
from interop.end import connect, digest_of_zeros
from interop.python_end import PeerlineEnd


async def test_text_and_bytes_arrive_both_ways(pair: Pair) -> None:
    await pair.offerer.create_channel("chat")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("chat"), pair.theirs.opened("chat"))
    for sender, receiver in ((pair.ours, pair.theirs), (pair.theirs, pair.ours)):
        for message in ("hello", "你好 🎈", "", b"\x00\xff", b"x" * 1000):
            await sender.send("chat", message)
            assert await receiver.received("chat") == message


async def test_a_message_of_256_kib_arrives_whole(pair: Pair, other: str) -> None:
    await pair.offerer.create_channel("large")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("large"), pair.theirs.opened("large"))
    # aiortc says that it takes 64 KiB and means it.
    large = os.urandom(65_536 if other == "aiortc" else 262_144)
    await pair.ours.send("large", large)
    assert await pair.theirs.received("large") == large
    await pair.theirs.send("large", large)
    assert await pair.ours.received("large") == large


@pytest.mark.parametrize(
    "options",
    [
        {"ordered": False, "maxRetransmits": 0},
        {"ordered": True, "maxPacketLifeTime": 500},
        {"protocol": "chess", "ordered": True},
    ],
    ids=["unordered", "lifetime", "protocol"],
)
async def test_what_a_channel_is_like_is_known_on_both_sides(pair: Pair, options: dict[str, object]) -> None:
    await pair.offerer.create_channel("channel", **options)
    await pair.connect()
    ours, theirs = await asyncio.gather(pair.ours.opened("channel"), pair.theirs.opened("channel"))
    assert ours == theirs
    assert {name: ours[name] for name in options} == options


async def test_a_channel_that_both_agreed_on_opens_without_a_word(pair: Pair) -> None:
    for end in (pair.ours, pair.theirs):
        await end.create_channel("agreed", negotiated=True, id=7)
    await pair.connect()
    ours, theirs = await asyncio.gather(pair.ours.opened("agreed"), pair.theirs.opened("agreed"))
    assert ours["id"] == theirs["id"] == 7
    await pair.ours.send("agreed", "x")
    assert await pair.theirs.received("agreed") == "x"


async def test_channels_opened_later_by_either_side_do_not_get_in_each_others_way(pair: Pair) -> None:
    await pair.offerer.create_channel("first")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("first"), pair.theirs.opened("first"))
    await asyncio.gather(pair.ours.create_channel("ours"), pair.theirs.create_channel("theirs"))
    ids = set()
    for label in ("ours", "theirs"):
        ours, theirs = await asyncio.gather(pair.ours.opened(label), pair.theirs.opened(label))
        assert ours["id"] == theirs["id"]
        ids.add(ours["id"] % 2)
    assert ids == {0, 1}


@pytest.mark.parametrize("closer", ["ours", "theirs"])
async def test_a_channel_closed_on_one_side_closes_on_the_other(pair: Pair, closer: str) -> None:
    await pair.offerer.create_channel("short")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("short"), pair.theirs.opened("short"))
    await getattr(pair, closer).close_channel("short")
    await asyncio.gather(pair.ours.closed("short"), pair.theirs.closed("short"))


async def test_what_is_sent_fast_comes_whole_and_in_order(pair: Pair) -> None:
    await pair.offerer.create_channel("bulk")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("bulk"), pair.theirs.opened("bulk"))
    count, size = 512, 16_384
    for sender, receiver in ((pair.ours, pair.theirs), (pair.theirs, pair.ours)):
        digest, _ = await asyncio.gather(receiver.digest("bulk", count * size), sender.send_zeros("bulk", count, size))
        assert digest == digest_of_zeros(count, size)


async def test_addresses_hidden_behind_mdns_names_are_found(make_end: MakeEnd) -> None:
    ours = PeerlineEnd()
    try:
        page = await make_end("chromium", "--enable-features=WebRtcHideLocalIpsWithMdns")
        await page.create_channel("hidden")
        await connect(page, ours)
        await asyncio.gather(ours.opened("hidden"), page.opened("hidden"))
    finally:
        await ours.close()


async def test_the_other_side_leaving_is_noticed(pair: Pair) -> None:
    await pair.offerer.create_channel("chat")
    await pair.connect()
    await asyncio.gather(pair.ours.opened("chat"), pair.theirs.opened("chat"))
    await pair.theirs.close()
    await pair.ours.closed("chat")
