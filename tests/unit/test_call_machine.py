"""The table of calls, and what moves through it in the cases that people meet."""

from __future__ import annotations

from itertools import product

import pytest

from peerline.calls.machine import TABLE, CallInput, CallState, step
from property.walking import Device, World

LOW, HIGH = "0" * 26, "7" * 26


def test_the_end_is_final_and_every_other_state_has_a_way_to_it() -> None:
    for state, event in product(CallState, CallInput):
        following = step(state, event)
        assert following is TABLE.get((state, event))
        if state is CallState.ENDED:
            assert following is None
    for state in (CallState.NEW, CallState.RINGING, CallState.UP):
        assert CallState.ENDED in {TABLE.get((state, event)) for event in CallInput}
    assert all(to is not CallState.NEW for to in TABLE.values())


async def people(*who: str) -> tuple[World, list[Device]]:
    world = World()
    devices = [Device(world, name[:-1], name[-1]) for name in who]
    for device in devices:
        await device.sign_in(resume=False)
    return world, devices


@pytest.mark.parametrize(("first", "second"), [(LOW, HIGH), (HIGH, LOW)])
async def test_two_who_call_each_other_are_connected_by_the_lower_token(first: str, second: str) -> None:
    _, (ann, bob, bob2) = await people("Ann1", "Bob1", "Bob2")
    ann.say("call", first, "a", to="u/bob", media=["a", "v"])
    bob.say("call", second, "b", to="u/ann", media=["a"])
    caller, callee = (ann, bob) if first == LOW else (bob, ann)
    assert [m["d"]["polite"] for m in caller.of_call("up", LOW)] == [False]
    assert [m["d"]["polite"] for m in callee.of_call("up", LOW)] == [True]
    assert callee.of_call("up", LOW)[0]["d"]["media"] == (["a", "v"] if first == LOW else ["a"])
    merged = callee.of_call("end", HIGH)
    assert [m["d"] for m in merged] == [{"why": "merged", "into": LOW}]
    order = [m["t"] for m in bob.inbox if m["t"] in ("ok", "end", "up")]
    assert order[0] == "ok"
    assert order[-1] == "up"
    assert len(bob2.of_call("stop", first)) == 1


async def test_the_first_device_to_accept_wins_and_the_others_stop_ringing() -> None:
    _, (ann, bob, bob2) = await people("Ann1", "Bob1", "Bob2")
    ann.say("call", LOW, "q", to="u/bob", media=["a"])
    bob2.say("accept", LOW, "q", media=["a"])
    bob.say("accept", LOW, "q", media=["a"])
    assert [m["t"] for m in bob2.inbox if m.get("call") == LOW] == ["ring", "ok", "up"]
    assert bob.of_call("stop", LOW)[0]["d"] == {"why": "elsewhere"}
    assert bob.of_call("err", LOW)[0]["d"]["code"] == "gone"
    assert len(ann.of_call("up", LOW)) == 1


async def test_a_device_that_comes_while_it_rings_rings_too() -> None:
    world, (ann, bob) = await people("Ann1", "Bob1")
    ann.say("call", LOW, "q", to="u/bob", media=["a"])
    late = Device(world, "Bob", "2")
    await late.sign_in(resume=False)
    assert len(late.of_call("ring", LOW)) == 1
    late.say("accept", LOW, "q", media=["a"])
    assert len(late.of_call("up", LOW)) == 1
    assert len(bob.of_call("stop", LOW)) == 1


async def test_a_call_to_somebody_whose_socket_just_died_waits_for_them_then_ends() -> None:
    world, (ann, bob) = await people("Ann1", "Bob1")
    bob.lose_socket()
    ann.say("call", LOW, "q", to="u/bob", media=["a"])
    assert ann.of_call("end", LOW) == []
    world.pass_time(5.1)
    assert ann.of_call("end", LOW)[0]["d"] == {"why": "offline"}


async def test_nobody_else_can_act_in_a_call() -> None:
    world, (ann, bob, eve, ann2) = await people("Ann1", "Bob1", "Eve1", "Ann2")
    ann.say("call", LOW, "q", to="u/bob", media=["a"])
    eve.say("accept", LOW, "accept", media=[])
    for t in ("decline", "cancel", "end", "rung", "desc"):
        eve.say(t, LOW, t)
    assert {m["d"]["code"] for m in eve.inbox if m["t"] == "err"} == {"forbidden"}
    bob.say("accept", LOW, "q", media=["a"])
    for device in (eve, ann2):
        device.inbox.clear()
        for t in ("end", "desc", "cand", "info"):
            device.say(t, LOW, t)
        assert [m["d"]["code"] for m in device.inbox if m["t"] == "err"] == ["forbidden"] * 4
    assert LOW in world.hub.board.calls


async def test_a_call_after_a_restart_is_taken_up_when_both_tell_the_same_story() -> None:
    world, (ann, bob, eve) = await people("Ann1", "Bob1", "Eve1")
    story = {"call": LOW, "live": True, "media": ["a"]}
    ann.say("sync", None, "s", calls=[story | {"peer": "bob", "role": "caller"}])
    eve.say("sync", None, "s", calls=[story | {"peer": "ann", "role": "callee"}])
    bob.say("sync", None, "s", calls=[story | {"peer": "ann", "role": "callee"}])
    verdicts = [[m["d"]["calls"][LOW] for m in d.inbox if m["t"] == "ok"] for d in (ann, eve, bob)]
    assert verdicts == [["wait"], ["gone"], ["ok"]]
    assert ann.of_call("up", LOW)[0]["d"] | {"peer": None} == {
        "peer": None, "polite": False, "media": ["a"], "again": True, "fresh": False,
    }  # fmt: skip
    ann.say("desc", LOW, None, pc="p2p")
    assert bob.of_call("desc", LOW)[0]["from"] == {"u": "ann", "n": "Ann"}
    assert world.hub.board.waiting_tokens() == set()


async def test_a_name_with_a_percent_sign_relays_like_any_other() -> None:
    world = World()
    ann, bob = Device(world, "100%d", "1"), Device(world, "Bob", "1")
    await ann.sign_in(resume=False)
    await bob.sign_in(resume=False)
    ann.say("call", LOW, "q", to="u/bob", media=["a"])
    bob.say("accept", LOW, "q", media=["a"])
    ann.say("cand", LOW, None, c=["%s %d %"])
    assert bob.of_call("cand", LOW)[0] | {"s": 0, "a": 0} == {
        "s": 0, "a": 0, "t": "cand", "from": {"u": "100%d", "n": "100%d"}, "call": LOW, "d": {"c": ["%s %d %"]},
    }  # fmt: skip
