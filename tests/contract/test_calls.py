"""Calls that come about, and calls that do not (protocol, sections 7 and 8)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from client import Client, Message, RefusedError, ulid
from client.conversation import both_up, hear_each_other, ring, settle, talk
from contract.conftest import Join
from contract.doors import Door


async def refused_with(code: str, client: Client, t: str, call: str, **d: Any) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        await client.request(t, call, **d)
    assert refused.value.code == code, refused.value
    return refused.value


async def test_a_call_from_ringing_to_hang_up(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    ann_is, bob_is = {"u": ann.u, "n": ann.name}, {"u": bob.u, "n": bob.name}
    call = ulid()
    placed = await ann.request("call", call, to=f"u/{bob.u}", media=["a", "v"])
    rings = await bob.expect("ring", call)
    assert rings["from"] == ann_is
    assert set(rings["d"]) == {"media", "exp", "now"}
    assert rings["d"]["media"] == ["a", "v"]
    assert rings["d"]["exp"] == placed["exp"] > rings["d"]["now"]
    await bob.notify("rung", call)
    alerting = await ann.expect("rung", call)
    assert alerting["from"] == bob_is
    await bob.request("accept", call, media=["a"])
    assert (await ann.expect("up", call))["d"] == {
        "peer": bob_is, "polite": False, "media": ["a"], "again": False, "fresh": False,
    }  # fmt: skip
    assert (await bob.expect("up", call))["d"] == {
        "peer": ann_is, "polite": True, "media": ["a", "v"], "again": False, "fresh": False,
    }  # fmt: skip
    await ann.request("end", call)
    assert (await bob.expect("end", call))["d"] == {"why": "hangup"}


async def test_accept_is_answered_before_the_call_is_up(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    of_the_call = [message["t"] for message in bob.log if message.get("call") == call]
    assert of_the_call == ["ring", "ok", "up"]


async def test_descriptions_and_candidates_pass_unread_and_in_order(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    bodies: list[tuple[str, Message]] = [
        ("desc", {"pc": "p2p", "g": 1, "n": 1, "sdp": {"type": "offer", "sdp": "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\n"}}),
        ("cand", {"pc": "p2p", "g": 1, "c": [{"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host"}]}),
        ("cand", {"pc": "p2p", "g": 1, "c": [], "end": True}),
        ("renego", {"pc": "p2p", "why": "because"}),
        ("restart", {"pc": "p2p", "why": "net"}),
        ("info", {"k": "mute", "audio": True, "video": False}),
        ("info", {"k": "odd", "text": "\u2028 \u0085 \\ \" 😀 \u0000", "deep": [[[{"x": [None, 1e300, -0.5]}]]]}),
    ]  # fmt: skip
    for speaker, listener in ((ann, bob), (bob, ann)):
        for t, body in bodies:
            await speaker.notify(t, call, **body)
        for t, body in bodies:
            heard = await listener.expect(t, call)
            assert heard["d"] == body
            assert heard["from"] == {"u": speaker.u, "n": speaker.name}
        order = [m["t"] for m in listener.log if m.get("from", {}).get("u") == speaker.u and "d" in m]
        assert order[-len(bodies) :] == [t for t, _ in bodies]


async def test_a_description_as_large_as_a_frame_allows_passes(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    body = {"pc": "p2p", "g": 1, "n": 1, "sdp": {"type": "offer", "sdp": "x" * 65_000}}
    await ann.notify("desc", call, **body)
    assert (await bob.expect("desc", call))["d"] == body


async def test_no_description_passes_before_the_call_is_up_or_after_it(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    for t in ("desc", "cand", "renego", "restart", "info"):
        await refused_with("conflict", ann, t, call, pc="p2p")
    await bob.request("accept", call, media=[])
    await both_up(ann, bob, call)
    await ann.request("end", call)
    for t in ("desc", "cand", "renego", "restart", "info"):
        await refused_with("gone", ann, t, call, pc="p2p")
    await settle(bob)
    assert not [m for m in bob.log if m["t"] in ("desc", "cand", "renego", "restart", "info")]


async def test_a_refusal_without_an_id_names_the_call(join: Join) -> None:
    ann = await join("Ann")
    call = ulid()
    await ann.notify("desc", call, pc="p2p")
    refusal = await ann.expect("err", call)
    assert "re" not in refusal
    assert refusal["d"]["code"] == "gone"


async def test_calling_again_with_the_same_token_is_answered_alike(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = ulid()
    first = await ann.request("call", call, to=f"u/{bob.u}", media=["a"])
    assert await ann.request("call", call, to=f"u/{bob.u}", media=["a"]) == first
    await settle(bob)
    assert len([message for message in bob.log if message["t"] == "ring"]) == 1


@pytest.mark.parametrize("ttl_ms", [None, 1_000, 120_000])
async def test_a_call_rings_as_long_as_asked(join: Join, ttl_ms: int | None) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    await ann.request("cancel", call)
    await bob.expect("stop", call)
    call = ulid()
    asked = {} if ttl_ms is None else {"ttl_ms": ttl_ms}
    await ann.request("call", call, to=f"u/{bob.u}", media=["a"], **asked)
    times = (await bob.expect("ring", call))["d"]
    asked_ms = ttl_ms or 45_000
    assert asked_ms / 2 < times["exp"] - times["now"] <= asked_ms


async def test_nobody_lets_a_call_ring_for_longer_than_two_minutes(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    for ttl_ms in (120_001, 10**12, 10**30, 0, -1, "long", 1.5, True):
        await refused_with("bad", ann, "call", ulid(), to=f"u/{bob.u}", media=["a"], ttl_ms=ttl_ms)


async def test_the_callee_declines(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    other = await join(also=bob)
    call = await ring(ann, bob, other)
    await bob.request("decline", call)
    assert (await ann.expect("end", call))["d"] == {"why": "declined"}
    assert (await other.expect("stop", call))["d"] == {"why": "declined"}
    await refused_with("gone", other, "accept", call, media=[])


@pytest.mark.parametrize(("why", "ends"), [("no", "declined"), ("later", "declined"), ("busy", "busy")])
async def test_the_callee_says_why(join: Join, why: str, ends: str) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob)
    await bob.request("decline", call, why=why)
    assert (await ann.expect("end", call))["d"]["why"] == ends


async def test_one_device_declines_for_itself_and_another_accepts(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    call = await ring(ann, phone, laptop)
    await phone.request("decline", call, scope="device")
    await laptop.request("accept", call, media=["a"])
    await both_up(ann, laptop, call)
    await hear_each_other(ann, laptop, call)


async def test_every_device_declines_for_itself(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    call = await ring(ann, phone, laptop)
    await phone.request("decline", call, scope="device")
    await laptop.request("decline", call, scope="device")
    assert (await ann.expect("end", call))["d"] == {"why": "declined"}


async def test_the_caller_cancels(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    call = await ring(ann, phone, laptop)
    await ann.request("cancel", call)
    for device in (phone, laptop):
        assert (await device.expect("stop", call))["d"] == {"why": "cancelled"}
        await refused_with("gone", device, "accept", call, media=[])


async def test_a_call_that_is_up_cannot_be_cancelled(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await talk(ann, bob)
    await refused_with("conflict", ann, "cancel", call)
    await hear_each_other(ann, bob, call)


async def test_nobody_answers_in_time(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    call = await ring(ann, bob, ttl_ms=300)
    assert (await ann.expect("end", call))["d"] == {"why": "timeout"}
    assert (await bob.expect("stop", call))["d"] == {"why": "timeout"}
    await refused_with("gone", bob, "accept", call, media=[])


async def test_who_is_away_and_who_never_was_are_told_alike(join: Join, unique: str) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    await bob.close()
    away = await refused_with("offline", ann, "call", ulid(), to=f"u/{bob.u}", media=["a"])
    never = await refused_with("offline", ann, "call", ulid(), to=f"u/nobody {unique}", media=["a"])
    assert away.body == never.body


async def test_the_callee_is_in_a_call(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    other = await join(also=bob)
    call = await talk(ann, bob)
    await refused_with("busy", eve, "call", ulid(), to=f"u/{bob.u}", media=["a"])
    await settle(bob, other)
    assert not [m for m in bob.log + other.log if m["t"] == "ring" and m["call"] != call]
    await ann.request("end", call)
    await bob.expect("end", call)
    await ring(eve, bob)


async def test_the_callee_rings_already(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    await ring(ann, bob)
    await refused_with("busy", eve, "call", ulid(), to=f"u/{bob.u}", media=["a"])


async def test_do_not_disturb(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    await bob.request("pres", st="dnd")
    await refused_with("dnd", ann, "call", ulid(), to=f"u/{bob.u}", media=["a"])
    await settle(bob)
    assert not [m for m in bob.log if m["t"] == "ring"]
    await bob.request("pres", st="away")
    await ring(ann, bob)


async def test_a_device_has_one_call_at_a_time(join: Join) -> None:
    ann, bob, eve = await join("Ann"), await join("Bob"), await join("Eve")
    await talk(ann, bob)
    await refused_with("conflict", ann, "call", ulid(), to=f"u/{eve.u}", media=["a"])
    await settle(eve)
    assert not eve.log[:-1]


async def test_nobody_calls_themselves(join: Join) -> None:
    ann = await join("Ann")
    other = await join(also=ann)
    with pytest.raises(RefusedError) as refused:
        await ann.request("call", ulid(), to=f"u/{ann.u}", media=["a"])
    assert refused.value.code in ("bad", "forbidden")
    await settle(other)
    assert not [m for m in other.log if m["t"] == "ring"]


async def test_answered_elsewhere(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    call = await ring(ann, phone, laptop)
    await laptop.request("accept", call, media=["a"])
    assert (await phone.expect("stop", call))["d"] == {"why": "elsewhere"}
    await refused_with("gone", phone, "accept", call, media=["a"])
    await both_up(ann, laptop, call)
    await refused_with("forbidden", phone, "desc", call, pc="p2p")
    await hear_each_other(ann, laptop, call)


async def test_two_devices_accept_at_the_same_moment_and_one_wins(join: Join) -> None:
    ann, phone = await join("Ann"), await join("Bob")
    laptop = await join(also=phone)
    call = await ring(ann, phone, laptop)
    answers = await asyncio.gather(
        *(device.request("accept", call, media=[]) for device in (phone, laptop)), return_exceptions=True
    )
    lost = [answer for answer in answers if isinstance(answer, RefusedError)]
    assert [refusal.code for refusal in lost] == ["gone"]
    winner = laptop if isinstance(answers[0], RefusedError) else phone
    await both_up(ann, winner, call)
    await hear_each_other(ann, winner, call)


async def test_a_token_in_the_wrong_form_is_refused(join: Join, door: Door) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    for token in ("", "x", ulid().lower(), ulid() + "0", "I" * 26):
        await refused_with("bad", ann, "call", token, to=f"u/{bob.u}", media=["a"])
    for wrong in ({"to": bob.u}, {"to": 7}, {"media": ["x"]}, {"media": "a"}, {"ttl_ms": "long"}):
        asked = {"to": f"u/{bob.u}", "media": ["a"]} | wrong
        await refused_with("bad", ann, "call", ulid(), **asked)


async def test_an_unknown_type_is_refused_and_unknown_fields_are_not(join: Join) -> None:
    ann, bob = await join("Ann"), await join("Bob")
    with pytest.raises(RefusedError) as refused:
        await ann.request("dance")
    assert refused.value.code == "unsupported"
    call = ulid()
    await ann.request("call", call, to=f"u/{bob.u}", media=["a"], colour="red")
    await bob.expect("ring", call)
