"""Who talks too much is told so, then shown out; nobody else notices (protocol, section 12)."""

from __future__ import annotations

import asyncio
import json
from typing import NoReturn

import pytest

from client import Client, ClosedError, Kind, RefusedError, ulid
from client.conversation import hear_each_other, ring, settle, talk
from system.conftest import Enter, Serve, until

LIMITS = {"rate": 50, "burst": 200}


async def test_too_many_messages(serve: Serve, enter: Enter, transport: Kind) -> None:
    server = serve("--no-db", limits=LIMITS)
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    eve = await enter(server, "Eve", transport)
    call = await talk(ann, bob)
    for _ in range(10):  # more than there is room for after seconds, fewer than a flood
        await eve.raw(batch_of(eve))
    told = await eve.expect("err")
    assert told["d"]["code"] == "rate"
    assert told["d"]["retry_ms"] > 0
    assert eve.bye is None, "a warning first"

    gone = asyncio.create_task(eve.wait_closed(timeout_s=30))
    try:
        while not gone.done():  # one batch after the other is taken in: what comes after the end is not read
            await eve.raw(batch_of(eve))
            question = asyncio.create_task(eve.request("unwatch"))
            await asyncio.wait((question, gone), return_when=asyncio.FIRST_COMPLETED)
            question.cancel()
            await asyncio.gather(question, return_exceptions=True)
    except ClosedError:
        assert transport != "websocket", "it is closed with a code"
    closed = await gone
    if transport == "websocket":
        assert closed.code == 4429
    if transport != "poll":
        assert eve.bye is not None
        assert (eve.bye["why"], eve.bye["act"]) == ("flood", "stop")
    await hear_each_other(ann, bob, call)
    await ann.request("end", call)
    await bob.expect("end", call)


async def test_a_flood_without_a_breath(serve: Serve, enter: Enter, transport: Kind) -> None:
    server = serve("--no-db", limits=LIMITS)
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    eve = await enter(server, "Eve", transport)
    call = await talk(ann, bob)
    with pytest.raises(ClosedError):
        await flood(eve)
    await hear_each_other(ann, bob, call)


async def flood(eve: Client) -> NoReturn:
    while True:
        await eve.raw(batch_of(eve))


def batch_of(eve: Client) -> bytes:
    return json.dumps([{"t": "seen", "s": eve.next_s(), "d": {"calls": []}} for _ in range(64)]).encode()


async def test_signs_of_life_are_answered_in_debt(serve: Serve, enter: Enter) -> None:
    eve = await enter(serve("--no-db", limits=LIMITS), "Eve")
    for _ in range(5):
        await eve.raw(batch_of(eve))
    await eve.send({"t": "ping", "d": {}})
    await until(lambda: eve.pongs == 1, "a pong")


async def test_a_moment_of_haste_is_forgiven(serve: Serve, enter: Enter, transport: Kind) -> None:
    server = serve("--no-db", limits=LIMITS)
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    call = await talk(ann, bob)
    for number in range(150):
        await ann.notify("info", call, k="count", number=number)
    await settle(ann, bob)
    assert [m["d"]["number"] for m in bob.log if m["t"] == "info"] == list(range(150))
    assert not [m for m in ann.log if m["t"] == "err"]


async def test_too_many_calls(serve: Serve, enter: Enter) -> None:
    server = serve("--no-db", limits={"calls_per_minute": 3})
    ann, bob, eve = await enter(server, "Ann"), await enter(server, "Bob"), await enter(server, "Eve")
    for _ in range(3):
        call = await ring(ann, bob)
        await ann.request("cancel", call)
        await bob.expect("stop", call)
    with pytest.raises(RefusedError) as refused:
        await ann.request("call", ulid(), to=f"u/{bob.u}", media=["a"])
    assert refused.value.code == "rate"
    assert refused.value.body["retry_ms"] > 0
    also = await enter(server, also=ann)
    with pytest.raises(RefusedError) as refused:
        await also.request("call", ulid(), to=f"u/{bob.u}", media=["a"])
    assert refused.value.code == "rate", "the limit is the person's, not the device's"
    await ring(eve, bob)


async def test_too_many_sign_ins_from_one_address(serve: Serve, enter: Enter, transport: Kind) -> None:
    server = serve("--no-db", limits={"hellos_per_minute": 4})
    ann = await enter(server, "Ann", transport)
    for number in range(3):
        await enter(server, f"Guest {number}", transport)
    with pytest.raises(RefusedError) as refused:
        await enter(server, "Eve", transport)
    assert refused.value.code == "rate"
    assert refused.value.body["retry_ms"] > 0
    await ann.abort_socket()
    assert await ann.resume() is True, "who comes back is not turned away"
    await settle(ann)
