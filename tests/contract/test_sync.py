"""Calls survive a server that starts anew and a page that crashes (protocol, section 9)."""

from __future__ import annotations

import asyncio

import pytest

from client import Client, Message, RefusedError, ulid
from client.conversation import both_up, hear_each_other, ring, settle, talk
from contract.conftest import Join
from contract.doors import WAYS, Door

# The app that mounts Peerline decides how it ends: what is promised here is promised by `peerline serve`.
SERVED = [way for way in WAYS if not way.door.mounted]


def story(call: str, peer: Client, role: str, *, live: bool = True) -> dict[str, object]:
    return {"call": call, "peer": peer.u, "role": role, "live": live, "media": ["a", "v"]}


async def sync(client: Client, *stories: dict[str, object]) -> list[str]:
    """Tell the server of one's calls; return what it says of each."""
    answer = (await client.request("sync", calls=list(stories)))["calls"]
    return [answer[str(each["call"])] for each in stories]


def is_again(message: Message) -> bool:
    return message["t"] == "up" and bool(message["d"]["again"])


async def restart(door: Door, *clients: Client) -> None:
    """The server dies without a word and comes back; so do the clients, each with a new session."""
    await asyncio.to_thread(door.server.kill)
    for client in clients:
        await client.wait_closed()
    await asyncio.to_thread(door.server.start)
    for client in clients:
        epoch = client.welcome["epoch"]
        assert await client.resume() is False
        assert client.welcome["epoch"] != epoch


async def test_a_call_goes_on_after_the_server_was_killed(join: Join, own_door: Door) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await restart(own_door, ann, bob)
    assert await sync(bob, story(call, ann, "callee")) == ["wait"]
    assert await sync(ann, story(call, bob, "caller")) == ["ok"]
    assert (await ann.expect("up", call))["d"] == {
        "peer": {"u": bob.u, "n": bob.name}, "polite": False, "media": ["a", "v"], "again": True, "fresh": False,
    }  # fmt: skip
    assert (await bob.expect("up", call))["d"] == {
        "peer": {"u": ann.u, "n": ann.name}, "polite": True, "media": ["a", "v"], "again": True, "fresh": False,
    }  # fmt: skip
    await hear_each_other(ann, bob, call)
    eve = await join("Eve")
    with pytest.raises(RefusedError) as busy:
        await eve.request("call", ulid(), to=f"u/{bob.u}", media=["a"])
    assert busy.value.code == "busy"
    await bob.request("end", call)
    assert (await ann.expect("end", call))["d"] == {"why": "hangup"}


async def test_the_other_side_does_not_come_back(join: Join, own_door: Door) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await restart(own_door, ann, bob)
    assert await sync(ann, story(call, bob, "caller")) == ["wait"]
    assert (await ann.expect("end", call))["d"] == {"why": "lost"}


async def test_the_other_side_hung_up_while_the_server_was_away(join: Join, own_door: Door) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await restart(own_door, ann, bob)
    assert await sync(ann, story(call, bob, "caller")) == ["wait"]
    await bob.request("end", call)
    assert (await ann.expect("end", call))["d"] == {"why": "hangup"}
    assert await sync(bob, story(call, ann, "callee")) == ["gone"]


async def test_who_hung_up_may_be_back_before_the_other_side(join: Join, own_door: Door) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await restart(own_door, ann, bob)
    with pytest.raises(RefusedError) as unknown:
        await bob.request("end", call, why="ice_lost")
    assert unknown.value.code == "gone"
    assert await sync(ann, story(call, bob, "caller")) == ["wait"]
    assert (await ann.expect("end", call))["d"] == {"why": "ice_lost"}


async def test_a_stranger_does_not_hang_up_a_call_that_waits(join: Join, own_door: Door) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    call, early = await talk(ann, bob), ulid()
    await restart(own_door, ann, bob, eve)
    with pytest.raises(RefusedError):
        await eve.request("end", early)
    assert await sync(ann, story(early, bob, "caller")) == ["wait"]
    await ann.request("end", early)
    assert await sync(ann, story(call, bob, "caller")) == ["wait"]
    with pytest.raises(RefusedError) as gone:
        await eve.request("end", call)
    assert gone.value.code == "gone"
    assert await sync(bob, story(call, ann, "callee")) == ["ok"]


async def test_what_is_said_while_the_other_side_is_not_back_is_refused_and_the_call_goes_on(
    join: Join, own_door: Door
) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await restart(own_door, ann, bob)
    assert await sync(ann, story(call, bob, "caller")) == ["wait"]
    with pytest.raises(RefusedError) as early:
        await ann.request("restart", call, pc="p2p", why="lost")
    assert early.value.code == "conflict"
    assert await sync(bob, story(call, ann, "callee")) == ["ok"]


async def test_names_outlive_the_server_where_there_is_a_database(
    join: Join, own_door: Door, store: str, unique: str
) -> None:
    ann = await join("Ann")
    await ann.abort_socket()
    await restart(own_door)
    if store == "memory":
        assert (await join("Ann")).u == ann.u
    else:
        with pytest.raises(RefusedError) as refused:
            await join("Ann")
        assert refused.value.code == "taken"


async def test_two_different_stories_are_not_believed(join: Join, own_door: Door) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await restart(own_door, ann, bob)
    answers = await sync(ann, story(call, bob, "caller")) + await sync(bob, story(call, ann, "caller"))
    assert "ok" not in answers
    await settle(ann, bob)
    assert not [m for m in ann.log + bob.log if is_again(m)]


async def test_a_stranger_does_not_sync_into_a_call(join: Join, own_door: Door) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    call = await talk(ann, bob)
    await restart(own_door, ann, bob, eve)
    await sync(eve, story(call, bob, "caller"))
    assert await sync(bob, story(call, ann, "callee")) in (["wait"], ["gone"])
    await settle(eve, bob)
    assert not [m for m in eve.log + bob.log if is_again(m)]


async def crash(join: Join, client: Client) -> Client:
    """The page dies and is loaded again: the same device, a new session."""
    await client.abort_socket()
    return await join(also=client, dev=client.dev)


async def test_a_page_that_crashed_comes_back_into_its_call(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    bob = await crash(join, bob)
    assert await sync(bob, story(call, ann, "callee", live=False)) == ["ok"]
    for side in (ann, bob):
        again = (await side.expect("up", call))["d"]
        assert (again["again"], again["fresh"]) == (True, True)
    await hear_each_other(ann, bob, call)
    await bob.request("end", call)
    await ann.expect("end", call)


async def test_a_new_session_that_kept_its_connection_needs_no_fresh_one(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    ann = await crash(join, ann)
    assert await sync(ann, story(call, bob, "caller", live=True)) == ["ok"]
    for side in (ann, bob):
        again = (await side.expect("up", call))["d"]
        assert (again["again"], again["fresh"]) == (True, False)
    await hear_each_other(ann, bob, call)


async def test_the_call_is_over_when_the_page_comes_back(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await bob.abort_socket()
    await ann.request("end", call)
    bob = await join(also=bob, dev=bob.dev)
    assert await sync(bob, story(call, ann, "callee", live=False)) == ["gone"]


async def test_another_device_of_the_same_person_does_not_take_the_call(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    other = await join(also=bob)
    assert await sync(other, story(call, ann, "callee")) == ["gone"]
    await hear_each_other(ann, bob, call)


async def test_the_wrong_role_or_the_wrong_peer_is_gone(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    call = await talk(ann, bob)
    assert await sync(eve, story(call, ann, "callee")) == ["gone"]
    assert await sync(eve, story(call, eve, "caller")) == ["gone"]
    bob = await crash(join, bob)
    assert await sync(bob, story(call, ann, "caller")) == ["gone"]
    bob = await crash(join, bob)
    assert await sync(bob, story(call, eve, "callee")) == ["gone"]


async def test_without_calls_there_is_nothing_to_sync(join: Join) -> None:
    ann = await join("Ann")
    assert await sync(ann) == []


async def test_a_ringing_call_does_not_outlive_the_caller_s_page(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    ann = await crash(join, ann)
    assert (await bob.expect("stop", call))["d"]["why"] in ("cancelled", "offline")


@pytest.mark.parametrize("way", SERVED, ids=str, indirect=True)
async def test_the_drain_tells_clients_to_resume(join: Join, own_door: Door) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    assert await asyncio.to_thread(own_door.server.stop) == 0
    for client in (ann, bob):
        gone = await client.wait_closed()
        if own_door.transport == "websocket":
            assert gone.code == 1012
        if client.bye is None:  # between two polls, or the server that we are mounted in was faster
            assert own_door.kind.mounted or own_door.transport == "poll"
            continue
        assert (client.bye["why"], client.bye["act"]) == ("drain", "resume")
        assert client.bye["in_ms"] >= 0
    await asyncio.to_thread(own_door.server.start)
    for client in (ann, bob):
        assert await client.resume() is False
    await sync(ann, story(call, bob, "caller"))
    await sync(bob, story(call, ann, "callee"))
    await both_up(ann, bob, call)
    await hear_each_other(ann, bob, call)
