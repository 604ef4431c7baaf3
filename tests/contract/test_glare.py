"""Two people call each other at the same moment (protocol, section 7, glare)."""

from __future__ import annotations

import asyncio
import time

import pytest

from client import Client, ulid
from client.conversation import hear_each_other, ring, settle
from contract.conftest import Join


@pytest.fixture(params=["the first call has the lower token", "the second call has the lower token"])
def tokens(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The tokens of the call that is placed first and of the one that crosses it."""
    now = int(time.time() * 1000)
    low, high = ulid(now), ulid(now + 1)
    return (low, high) if "first" in request.param else (high, low)


async def test_two_calls_that_cross_become_one(join: Join, tokens: tuple[str, str]) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    hers, his = tokens
    stays, goes = min(tokens), max(tokens)
    await ring(ann, bob, call=hers)
    await bob.request("call", his, to=f"u/{ann.u}", media=["a"])

    loser = ann if goes == hers else bob
    assert (await loser.expect("end", goes))["d"] == {"why": "merged", "into": stays}
    up_ann, up_bob = await ann.expect("up", stays), await bob.expect("up", stays)
    assert up_ann["d"]["polite"] is (stays == his), "the caller of the call that stays is the offerer"
    assert up_bob["d"]["polite"] is (stays == hers)
    assert up_ann["d"]["peer"] == {"u": bob.u, "n": bob.name}
    assert up_bob["d"]["media"] == ["a", "v"]
    assert up_ann["d"]["media"] == ["a"]
    assert order_of(loser, goes, stays) == ["ok", "end", "up"]
    await hear_each_other(ann, bob, stays)
    await bob.request("end", stays)
    assert (await ann.expect("end", stays))["d"]["why"] == "hangup"


async def test_the_other_devices_stop_ringing(join: Join, tokens: tuple[str, str]) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    hers_too, his_too = await join(also=ann), await join(also=bob)
    hers, his = tokens
    await ring(ann, bob, his_too, call=hers)
    await bob.request("call", his, to=f"u/{ann.u}", media=["a"])
    stays = min(tokens)
    await ann.expect("up", stays)
    await bob.expect("up", stays)
    assert (await his_too.expect("stop", hers))["d"]["why"] in ("merged", "elsewhere")
    await settle(hers_too, his_too)
    assert not [m for m in hers_too.log + his_too.log if m["t"] == "up"]


async def test_both_at_once_whatever_the_server_sees_first(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    hers, his = ulid(), ulid()
    await asyncio.gather(
        ann.request("call", hers, to=f"u/{bob.u}", media=["a"]),
        bob.request("call", his, to=f"u/{ann.u}", media=["a"]),
    )
    stays = min(hers, his)
    await ann.expect("up", stays)
    await bob.expect("up", stays)
    await hear_each_other(ann, bob, stays)


def order_of(client: Client, goes: str, stays: str) -> list[str]:
    """What the maker of the call that goes was told of the two calls, without the ringing."""
    return [
        message["t"]
        for message in client.log
        if (message.get("call") == goes and message["t"] in ("ok", "end"))
        or (message.get("call") == stays and message["t"] == "up")
    ]
