"""Sequences that random walks rarely take, each once a bug: in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from peerline.config import Config, Signaling
from peerline.errors import PeerlineError
from peerline.server.dispatch import Dispatcher
from peerline.server.hub import Hub
from peerline.store import MemoryStore
from property.walking import UNLIMITED, Device, World

FIRST, SECOND = "01" + "A" * 24, "01" + "B" * 24


async def people(world: World, *names: str) -> list[Device]:
    """One device each; "Bob/2" is a second one of Bob's."""
    devices = []
    for name in names:
        person, _, number = name.partition("/")
        device = Device(world, person, number or "1")
        await device.sign_in(resume=False)
        devices.append(device)
    return devices


def stay(world: World, device: Device, seconds: int) -> None:
    """Time passes, and the device shows that it lives."""
    for _ in range(seconds // 20):
        world.pass_time(20)
        device.say("unwatch")


def ring(caller: Device, callee: Device, token: str = FIRST) -> None:
    caller.say("call", token, id="c", to=f"u/{callee.u}", media=["a"])


async def test_a_device_that_comes_back_rings_with_the_others() -> None:
    world = World()
    ann, phone, _laptop = await people(world, "Ann", "Bob/1", "Bob/2")
    phone.lose_socket()
    world.pass_time(10)
    ring(ann, phone)
    assert phone.of_call("ring", FIRST) == []
    await phone.sign_in(resume=True)
    assert len(phone.of_call("ring", FIRST)) == 1
    phone.say("rung", FIRST)
    assert len(ann.of_call("rung", FIRST)) == 1
    phone.lose_socket()
    await phone.sign_in(resume=True)
    assert len(phone.of_call("ring", FIRST)) == 1, "once"


async def test_a_call_does_not_wait_for_a_device_that_nobody_can_reach() -> None:
    world = World()
    ann, lost, living = await people(world, "Ann", "Bob/1", "Bob/2")
    lost.lose_socket()
    world.pass_time(10)
    ring(ann, living)
    living.say("bye")
    assert [m["d"]["why"] for m in ann.of_call("end", FIRST)] == ["offline"]


async def test_when_all_who_are_left_have_declined_the_call_is_declined() -> None:
    world = World()
    ann, first, second = await people(world, "Ann", "Bob/1", "Bob/2")
    ring(ann, first)
    first.say("decline", FIRST, scope="device")
    assert ann.of_call("end", FIRST) == []
    second.say("bye")
    assert [m["d"]["why"] for m in ann.of_call("end", FIRST)] == ["declined"]


async def test_nobody_declines_a_call_that_is_up() -> None:
    world = World()
    ann, bob = await people(world, "Ann", "Bob")
    ring(ann, bob)
    bob.say("accept", FIRST, media=["a"])
    bob.say("decline", FIRST, id="d", scope="device")
    (refusal,) = [m for m in bob.inbox if m.get("re") == "d"]
    assert (refusal["t"], refusal["d"]["code"]) == ("err", "conflict")


async def test_a_frame_of_a_session_that_has_ended_does_nothing() -> None:
    world = World()
    ann, bob = await people(world, "Ann", "Bob")
    assert ann.session is not None
    world.hub.end(ann.session, "hangup")
    frame = {"t": "call", "s": 1, "call": FIRST, "d": {"to": "u/bob", "media": ["a"]}}
    assert world.dispatcher.on_frame(ann.session, json.dumps(frame).encode()) is False
    assert bob.of_call("ring", FIRST) == []
    assert world.hub.board.calls == {}


async def test_a_hello_that_nobody_waits_for_replaces_nobody() -> None:
    world = World()
    ann, _ = await people(world, "Ann", "Bob")
    body = {"v": [1], "name": "Ann", "own": "ann" * 8 + "k" * 16, "dev": ann.dev}
    frame = json.dumps({"t": "hello", "d": body}).encode()
    with pytest.raises(PeerlineError, match="too late"):
        await world.hub.hello(frame, host="", address="", is_wanted=lambda: False)
    assert ann.is_open
    assert [m for m in ann.inbox if m["t"] == "bye"] == []


async def test_a_name_whose_owner_is_here_stays_theirs() -> None:
    clock = World()
    hub = Hub(
        Config(limits=UNLIMITED, name_ttl_days=1), MemoryStore(name_ttl_days=1),
        clock=lambda: clock.now, wall=lambda: 1.8e9 + clock.now,
    )  # fmt: skip
    frame: Callable[[str, str], bytes] = lambda own, dev: json.dumps(  # noqa: E731
        {"t": "hello", "d": {"v": [1], "name": "Ann", "own": own * 32, "dev": dev * 16}}
    ).encode()
    await hub.hello(frame("a", "1"), host="", address="")
    clock.now += 2 * 86_400
    with pytest.raises(PeerlineError) as refused:
        await hub.hello(frame("b", "2"), host="", address="")
    assert refused.value.code == "taken"


async def test_a_party_that_sends_much_does_not_end_the_other_s_session() -> None:
    world = World()
    ann, bob = await people(world, "Ann", "Bob")
    ring(ann, bob)
    bob.say("accept", FIRST, media=["a"])
    for _ in range(20):  # Bob acknowledges nothing meanwhile
        ann.say("info", FIRST, k="x" * 60_000)
    assert bob.is_open
    assert bob.session is not None
    assert not bob.session.is_ended
    codes = [m["d"]["code"] for m in ann.inbox if m["t"] == "err"]
    assert codes
    assert set(codes) == {"rate"}


async def test_an_expired_token_is_kept_alive_by_a_call_only() -> None:
    world = World()
    ann, bob = await people(world, "Ann", "Bob")
    assert ann.session is not None
    ann.session.expires = world.now + 1
    story = {"call": FIRST, "peer": "bob", "role": "caller", "live": True, "media": ["a"]}
    ann.say("sync", id="s", calls=[story])
    world.pass_time(5)
    assert [m["d"]["why"] for m in ann.inbox if m["t"] == "bye"] == ["expired"]
    assert not ann.is_open
    assert bob.is_open


async def test_after_expiry_a_call_goes_on_and_none_begins() -> None:
    world = World()
    ann, bob = await people(world, "Ann", "Bob")
    ring(ann, bob)
    bob.say("accept", FIRST, media=["a"])
    assert ann.session is not None
    ann.session.expires = world.now + 1
    world.pass_time(5)
    assert ann.is_open
    ann.say("info", FIRST, k="still here")
    assert len(bob.of_call("info", FIRST)) == 1
    ann.say("call", SECOND, id="again", to="u/bob", media=["a"])
    (refusal,) = [m for m in ann.inbox if m.get("re") == "again"]
    assert refusal["d"]["code"] == "auth"


async def test_turn_credentials_are_renewed_after_half_of_their_time() -> None:
    world = World()
    hub = Hub(
        Config(limits=UNLIMITED, signaling=Signaling(ice_ttl_s=600)), MemoryStore(),
        clock=lambda: world.now, wall=lambda: 1.8e9 + world.now,
    )  # fmt: skip
    world.hub, world.dispatcher = hub, Dispatcher(hub)

    class Offer:
        def urls(self, host: str) -> list[str]:
            return [f"turn:{host}:3478"]

        def credentials(self, name: str, now_s: float, ttl_s: float) -> tuple[str, str]:
            return f"{int(now_s + ttl_s)}:{name}", "secret"

    hub.turn = Offer()
    (ann,) = await people(world, "Ann")
    stay(world, ann, 280)
    assert [m for m in ann.inbox if m["t"] == "ice"] == []
    stay(world, ann, 40)
    (ice,) = [m["d"] for m in ann.inbox if m["t"] == "ice"]
    (server,) = ice["servers"]
    assert ice["ttl_s"] == 600
    assert server["credential"] == "secret"
    expiry, name = server["username"].split(":")
    assert int(expiry) > 1.8e9 + world.now + 250
    assert name != "ann", "not the person's name: it goes over the wire in the clear"
