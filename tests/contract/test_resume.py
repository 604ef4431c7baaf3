"""A session outlives the socket that carries it (protocol, sections 4 and 5)."""

from __future__ import annotations

import asyncio

import pytest

from client import Client, Kind, RefusedError
from client.conversation import hear_each_other, ring, settle, talk
from contract.conftest import Join
from contract.doors import Door


async def said(client: Client, call: str) -> list[int]:
    """The numbers in the `info` messages that came, in order."""
    await settle(client)
    return [m["d"]["number"] for m in client.log if m["t"] == "info" and m["call"] == call]


async def test_what_was_said_meanwhile_arrives_after_the_resume(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await bob.abort_socket()
    for number in range(50):
        await ann.notify("info", call, k="count", number=number)
    await settle(ann)
    assert await bob.resume() is True
    assert await said(bob, call) == list(range(50))


async def test_what_one_said_without_a_socket_arrives_after_the_resume(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await bob.abort_socket()
    for number in range(50):
        await bob.notify("info", call, k="count", number=number)
    assert await bob.resume() is True
    await settle(bob)
    assert await said(ann, call) == list(range(50))


async def test_a_request_that_was_under_way_is_answered_after_the_resume(join: Join) -> None:
    ann = await join("Ann")
    await ann.abort_socket()
    asked = asyncio.create_task(ann.request("history"))
    await asyncio.sleep(0)
    assert await ann.resume() is True
    assert (await asked)["calls"] == []


async def test_a_resumed_session_keeps_its_number_and_its_epoch(join: Join) -> None:
    ann = await join("Ann")
    await settle(ann)
    before = ann.welcome
    await ann.abort_socket()
    assert await ann.resume() is True
    assert ann.welcome["sid"] == before["sid"]
    assert ann.welcome["epoch"] == before["epoch"]
    assert ann.welcome["rx"] == 1


async def test_a_resume_takes_the_place_of_a_socket_that_hangs(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    ann.stop_reading()
    for number in range(10):
        await bob.notify("info", call, k="count", number=number)
    await settle(bob)
    hanging = ann.leave_behind()
    assert await ann.resume() is True
    assert await said(ann, call) == list(range(10))
    await hear_each_other(ann, bob, call)
    await hanging.abort()


async def test_the_ring_waits_for_a_device_that_is_gone_for_a_moment(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    await bob.abort_socket()
    assert await bob.resume() is True
    await bob.request("accept", call, media=["a"])
    await ann.expect("up", call)
    await bob.expect("up", call)
    await hear_each_other(ann, bob, call)


async def test_the_caller_resumes_and_finds_the_call_up(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    await ann.abort_socket()
    await bob.request("accept", call, media=["a"])
    assert await ann.resume() is True
    await ann.expect("up", call)
    await bob.expect("up", call)
    await hear_each_other(ann, bob, call)


@pytest.mark.parametrize("wrong", ["key", "sid"])
async def test_a_wrong_key_resumes_nothing(join: Join, wrong: str) -> None:
    ann = await join("Ann")
    await ann.abort_socket()
    ann.welcome = ann.welcome | {wrong: "x" * len(ann.welcome[wrong])}
    assert await ann.resume() is False


async def test_the_key_of_a_session_is_no_use_to_others(join: Join) -> None:
    ann, eve = await join("Ann"), await join("Eve")
    await ann.abort_socket()
    await eve.abort_socket()
    eve.welcome = ann.welcome
    assert await eve.resume() is False
    assert eve.u != ann.u
    assert await ann.resume() is True


async def test_what_was_acknowledged_is_not_sent_again(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    for number in range(40):
        await ann.notify("info", call, k="count", number=number)
    await settle(ann, bob)
    for _ in range(3):
        await bob.abort_socket()
        assert await bob.resume() is True
    assert await said(bob, call) == list(range(40))


@pytest.mark.parametrize("to", ["websocket", "sse", "poll"])
async def test_a_session_moves_to_another_transport(join: Join, door: Door, to: Kind) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await ann.abort_socket()
    await bob.notify("info", call, k="count", number=1)
    await ann.notify("info", call, k="count", number=2)
    assert await ann.resume(to) is True
    assert await said(ann, call) == [1]
    await settle(ann)
    assert await said(bob, call) == [2]
    await ann.abort_socket()
    assert await ann.resume(door.transport) is True
    await hear_each_other(ann, bob, call)


async def test_who_logged_out_cannot_resume(join: Join) -> None:
    ann = await join("Ann")
    await ann.close()
    assert await ann.resume() is False


async def test_requests_of_a_session_that_is_over_fail(join: Join) -> None:
    ann = await join("Ann")
    await ann.close()
    asked = asyncio.create_task(ann.request("history"))
    await asyncio.sleep(0)
    assert await ann.resume() is False
    with pytest.raises((RefusedError, Exception), match="over"):
        await asked
    assert (await ann.request("history"))["calls"] == []
