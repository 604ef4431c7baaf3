"""What was: the list of calls, and the calls that were missed (protocol, section 10)."""

from __future__ import annotations

import asyncio
from typing import Any

from client import Client, Message, RefusedError, ulid
from client.conversation import ring, settle, talk
from contract.conftest import Join


async def history(client: Client, **d: Any) -> list[Message]:
    calls: list[Message] = (await client.request("history", **d))["calls"]
    return calls


async def fail_to_call(caller: Client, callee: Client) -> str:
    call = ulid()
    try:
        await caller.request("call", call, to=f"u/{callee.u}", media=["a"])
    except RefusedError:
        return call
    raise AssertionError("the call was not refused")


async def test_a_call_stands_in_the_history_of_both(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await ann.request("end", call)
    await bob.expect("end", call)
    (hers,), (his,) = await history(ann), await history(bob)
    assert set(hers) == {"call", "dir", "peer", "media", "started", "answered", "ended", "why"}
    assert hers == his | {"dir": "out", "peer": {"u": bob.u, "n": bob.name}}
    assert his["dir"] == "in"
    assert his["peer"] == {"u": ann.u, "n": ann.name}
    assert hers["call"] == call
    assert hers["media"] == ["a", "v"]
    assert hers["why"] == "hangup"
    assert hers["started"] <= hers["answered"] <= hers["ended"]


async def test_a_call_that_is_going_on_has_no_end(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    (rings,) = await history(ann)
    assert rings["answered"] is None
    assert rings["ended"] is None
    await bob.request("accept", call, media=[])
    await ann.expect("up", call)
    (talks,) = await history(ann)
    assert talks["answered"] is not None
    assert talks["ended"] is None


async def test_history_is_newest_first_and_comes_in_pages(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    placed = []
    for _ in range(5):
        call = await ring(ann, bob)
        await ann.request("cancel", call)
        await bob.expect("stop", call)
        placed.append(call)
        await asyncio.sleep(0.005)  # the order is by the millisecond
    everything = await history(bob)
    assert [entry["call"] for entry in everything] == placed[::-1]
    assert all(entry["why"] == "cancelled" and entry["answered"] is None for entry in everything)
    page = await history(bob, limit=2)
    assert [entry["call"] for entry in page] == placed[:2:-1]
    older = await history(bob, limit=100, before=page[-1]["started"])
    assert [entry["call"] for entry in older] == placed[2::-1]


async def test_nobody_reads_the_history_of_others(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    call = await talk(ann, bob)
    await ann.request("end", call)
    assert await history(eve) == []


async def test_a_call_that_was_missed_is_told_at_every_login_until_it_was_seen(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    await bob.close()
    call = await fail_to_call(ann, bob)
    for _ in range(2):
        bob = await join(also=bob)
        missed = await bob.expect("missed")
        assert missed["s"] == 1, "right after the welcome"
        (entry,) = missed["d"]["calls"]
        assert set(entry) == {"call", "from", "media", "at", "why"}
        assert entry["call"] == call
        assert entry["from"] == {"u": ann.u, "n": ann.name}
        assert entry["why"] == "offline"
        assert entry["media"] == ["a"]
        await bob.close()
    bob = await join(also=bob)
    await bob.expect("missed")
    await bob.request("seen", calls=[call])
    await bob.close()
    bob = await join(also=bob)
    await settle(bob)
    assert not [message for message in bob.log if message["t"] == "missed"]


async def test_seen_counts_for_the_calls_it_names(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    await bob.close()
    first, second = await fail_to_call(ann, bob), await fail_to_call(eve, bob)
    bob = await join(also=bob)
    told = (await bob.expect("missed"))["d"]["calls"]
    assert {entry["call"] for entry in told} == {first, second}
    await bob.request("seen", calls=[first])
    await bob.close()
    bob = await join(also=bob)
    told = (await bob.expect("missed"))["d"]["calls"]
    assert [entry["call"] for entry in told] == [second]


async def test_nobody_marks_the_missed_calls_of_others_as_seen(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    await bob.close()
    call = await fail_to_call(ann, bob)
    await eve.request("seen", calls=[call])
    await ann.request("seen", calls=[call])
    bob = await join(also=bob)
    assert (await bob.expect("missed"))["d"]["calls"][0]["call"] == call


async def test_who_is_signed_in_hears_of_a_missed_call_at_once(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")

    async def missed(call: str) -> str:
        (entry,) = (await bob.expect("missed"))["d"]["calls"]
        assert entry["call"] == call
        why: str = entry["why"]
        return why

    call = await ring(ann, bob)
    await ann.request("cancel", call)
    assert await missed(call) == "cancelled"

    call = await ring(ann, bob, ttl_ms=200)
    assert await missed(call) == "timeout"

    await bob.request("pres", st="dnd")
    assert await missed(await fail_to_call(ann, bob)) == "dnd"
    await bob.request("pres", st="online")

    await talk(ann, bob)
    assert await missed(await fail_to_call(eve, bob)) == "busy"


async def test_a_call_that_was_declined_is_not_missed(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    await bob.request("decline", call)
    await ann.expect("end", call)
    await bob.close()
    bob = await join(also=bob)
    await settle(bob)
    assert not [message for message in bob.log if message["t"] == "missed"]
