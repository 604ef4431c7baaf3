"""Clients that lie about who they are, or act in calls of others."""

from __future__ import annotations

import json

import pytest

from client import Client, Kind, RefusedError, ulid
from client.conversation import hear_each_other, ring, settle, talk
from system.conftest import Enter
from system.server_process import ServerProcess

ACTS = ["desc", "cand", "renego", "restart", "info", "accept", "decline", "cancel", "rung", "end"]


async def test_from_is_what_the_server_says(shared: ServerProcess, enter: Enter, transport: Kind) -> None:
    ann, bob = await enter(shared, "Ann", transport), await enter(shared, "Bob", transport)
    lie = {"from": {"u": "root", "n": "Root"}}
    call = ulid()
    asked = {"t": "call", "s": ann.next_s(), "call": call, "d": {"to": f"u/{bob.u}", "media": ["a"]} | lie} | lie
    await ann.raw(json.dumps(asked).encode())
    assert (await bob.expect("ring", call))["from"] == {"u": ann.u, "n": ann.name}
    await bob.request("accept", call, media=["a"])
    await ann.expect("up", call)
    said = {"t": "info", "s": ann.next_s(), "call": call, "d": {"k": "x"}} | lie
    await ann.raw(json.dumps(said).encode())
    heard = await bob.expect("info", call)
    assert heard["from"] == {"u": ann.u, "n": ann.name}
    assert json.dumps(heard).count('"from"') == 1


@pytest.mark.parametrize("act", ACTS)
async def test_a_stranger_does_nothing_in_a_call_that_is_up(
    shared: ServerProcess, enter: Enter, transport: Kind, act: str
) -> None:
    ann, bob, eve = [await enter(shared, name, transport) for name in ("Ann", "Bob", "Eve")]
    also_ann = await enter(shared, also=ann)
    call = await talk(ann, bob)
    for stranger in (eve, also_ann):
        with pytest.raises(RefusedError) as refused:
            await stranger.request(act, call, media=["a"], pc="p2p")
        assert refused.value.code == "forbidden"
    await hear_each_other(ann, bob, call)
    await settle(ann, bob)
    for party in (ann, bob):
        assert [m["t"] for m in party.inbox] == []


@pytest.mark.parametrize("act", ACTS)
async def test_a_stranger_does_nothing_in_a_call_that_rings(
    shared: ServerProcess, enter: Enter, transport: Kind, act: str
) -> None:
    ann, bob, eve = [await enter(shared, name, transport) for name in ("Ann", "Bob", "Eve")]
    call = await ring(ann, bob)
    with pytest.raises(RefusedError) as refused:
        await eve.request(act, call, media=["a"], pc="p2p")
    assert refused.value.code == "forbidden"
    await bob.request("accept", call, media=["a"])
    await ann.expect("up", call)


@pytest.mark.parametrize("act", ["accept", "decline", "rung"])
async def test_the_caller_does_not_answer_for_the_callee(shared: ServerProcess, enter: Enter, act: str) -> None:
    ann, bob = await enter(shared, "Ann"), await enter(shared, "Bob")
    call = await ring(ann, bob)
    with pytest.raises(RefusedError) as refused:
        await ann.request(act, call, media=["a"])
    assert refused.value.code in ("forbidden", "conflict")
    await bob.request("accept", call, media=["a"])
    await ann.expect("up", call)


async def test_the_callee_does_not_cancel_for_the_caller(shared: ServerProcess, enter: Enter) -> None:
    ann, bob = await enter(shared, "Ann"), await enter(shared, "Bob")
    call = await ring(ann, bob)
    with pytest.raises(RefusedError) as refused:
        await bob.request("cancel", call)
    assert refused.value.code in ("forbidden", "conflict")
    await bob.request("accept", call, media=["a"])
    await ann.expect("up", call)


async def test_a_call_token_belongs_to_its_maker(shared: ServerProcess, enter: Enter, transport: Kind) -> None:
    ann, bob, eve = [await enter(shared, name, transport) for name in ("Ann", "Bob", "Eve")]
    zoe = await enter(shared, "Zoe")
    call = await talk(ann, bob)
    for thief in (eve, await enter(shared, also=ann)):
        with pytest.raises(RefusedError) as refused:
            await thief.request("call", call, to=f"u/{zoe.u}", media=["a"])
        assert refused.value.code == "conflict"
    await ann.request("end", call)
    await bob.expect("end", call)
    with pytest.raises(RefusedError) as refused:
        await eve.request("call", call, to=f"u/{zoe.u}", media=["a"])
    assert refused.value.code == "gone", "a token is used once"
    await settle(zoe)
    assert not [m for m in zoe.log if m["t"] == "ring"]


async def test_a_session_is_not_taken_over_with_its_number_alone(
    shared: ServerProcess, enter: Enter, transport: Kind
) -> None:
    ann = await enter(shared, "Ann", transport)
    thief = Client(shared.url, ann.name, None, ann.dev, None)
    thief.welcome = {"sid": ann.welcome["sid"], "key": "x" * 43}
    with pytest.raises(RefusedError) as refused:
        await thief._open(transport, resume=True)
    assert refused.value.code == "taken"
    await settle(ann)


async def test_the_state_of_a_call_is_not_told_to_strangers(shared: ServerProcess, enter: Enter) -> None:
    ann, bob, eve = [await enter(shared, name) for name in ("Ann", "Bob", "Eve")]
    ringing = await ring(ann, bob)
    with pytest.raises(RefusedError) as while_ringing:
        await eve.request("desc", ringing, pc="p2p")
    await bob.request("accept", ringing, media=[])
    with pytest.raises(RefusedError) as while_up:
        await eve.request("desc", ringing, pc="p2p")
    assert while_ringing.value.body == while_up.value.body
