"""People, devices and networks do anything at any time: what must hold of calls all the same."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from peerline.calls.machine import CallState
from peerline.errors import PeerlineError
from property.walking import CROCKFORD, Device, World

STEPS = 250
WEIGHTS = {
    "sign_in": 3, "resume": 6, "lose_socket": 4, "bye": 1, "call": 14, "rung": 5, "accept": 16, "decline": 3,
    "cancel": 2, "end": 4, "desc": 12, "sync": 4, "presence": 2, "watch": 2, "moment": 6, "minute": 1,
}  # fmt: skip


class Walk:
    """One walk; everything it does comes from its seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World()
        self.devices = [Device(self.world, name, dev) for name in ("Ann", "Bob", "Eve") for dev in "12"]
        self.tokens = ["0" * 26]
        self.did: list[str] = []

    def token(self, device: Device) -> str:
        """Mostly a call this device's person takes part in, now and then one that is over or none of theirs."""
        board = self.world.hub.board
        theirs = sorted(device.session.person.calls) if device.session is not None else []
        if theirs and self.random.random() < 0.85:
            return self.random.choice(theirs)
        return self.random.choice(self.tokens[-4:] + list(board.calls))

    async def step(self) -> None:
        act = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        device = self.random.choice(self.devices)
        self.did.append(f"{device.name}/{device.dev[0]} {act}")
        if act == "moment":
            self.world.pass_time(self.random.random() * 5)
        elif act == "minute":
            self.world.pass_time(61)
        elif act in ("sign_in", "resume"):
            await device.sign_in(resume=act == "resume")
        elif device.session is None:
            return
        elif act == "lose_socket":
            device.lose_socket()
        elif act == "bye":
            if device.is_open:
                self.world.dispatcher.on_frame(device.session, b'{"t":"bye"}')
        elif act == "call":
            token = "".join(self.random.choice(CROCKFORD[:8]) for _ in range(26))
            self.tokens.append(token)
            device.say("call", token, "q", to=f"u/{self.random.choice(self.devices).u}", media=["a"], ttl_ms=20_000)
        elif act == "accept":
            device.say("accept", self.token(device), "q", media=["v"])
        elif act == "decline":
            device.say("decline", self.token(device), "q", scope=self.random.choice(["user", "device"]))
        elif act == "desc":
            device.say("desc", self.token(device), pc="p2p", g=1, n=1)
        elif act == "sync":
            peer, role = self.random.choice(self.devices).u, self.random.choice(["caller", "callee"])
            device.say(
                "sync", None, "q", calls=[{"call": self.token(device), "peer": peer, "role": role, "live": True}]
            )
        elif act == "presence":
            device.say("pres", None, None, st=self.random.choice(["online", "away", "online", "dnd", "online"]))
        elif act == "watch":
            device.say("watch", None, "q")
        else:
            device.say(act, self.token(device), "q")

    def check(self) -> None:
        """Hub, calls, people and sessions tell one story."""
        hub = self.world.hub
        claimed = hub.board.waiting_tokens()
        for token, call in hub.board.calls.items():
            assert token == call.token
            assert call.state in (CallState.RINGING, CallState.UP)
            for side in (call.caller, call.callee):
                assert token in side.person.calls
                if side.session is not None:
                    assert side.session.call == token
                    assert not side.session.is_ended
            if call.state is CallState.RINGING:
                assert call.caller.session is not None
                assert call.callee.session is None
        for person in hub.roster:
            assert person.sessions
            assert person.calls <= set(hub.board.calls) | claimed
            up = [c for c in hub.board.calls.values() if c.state is CallState.UP]
            assert person.calls_up == sum(person in (c.caller.person, c.callee.person) for c in up)
            for session in person.sessions.values():
                assert hub.sessions[session.sid] is session
                assert session.person is person
                if session.call is not None:
                    assert session.call in person.calls
                if session.way is not None:
                    assert session.way.token == session.call
                    assert hub.board.calls[session.way.token].state is CallState.UP
        for session in hub.sessions.values():
            assert hub.roster.get(session.person.u) is session.person

    def everybody_leaves(self) -> None:
        for device in self.devices:
            if device.session is not None and device.is_open:
                device.lose_socket()
        self.world.pass_time(200)


@pytest.mark.parametrize("seed", range(150))
async def test_whatever_happens_server_calls_and_people_tell_one_story(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(STEPS):
        try:
            await walk.step()
            walk.check()
        except PeerlineError as error:
            assert error.code in ("rate",), walk.did[-20:]  # noqa: PT017 - too many devices is the only refusal here
    walk.everybody_leaves()
    hub = walk.world.hub
    assert hub.board.calls == {}
    assert hub.board.waiting_tokens() == set()
    assert hub.sessions == {}
    assert list(hub.roster) == []
    # One deadline remains: the sweep.
    walk.world.pass_time(400)
    assert hub.timers.poll_timeout() is not None
    assert len(hub.timers) == 1
    await hub.close()


@pytest.mark.parametrize("seed", range(40))
async def test_a_call_ends_once_and_its_end_is_told_once(seed: int) -> None:
    walk = Walk(1000 + seed)
    for _ in range(STEPS):
        await walk.step()
    walk.everybody_leaves()
    ends = Counter(token for token, why in walk.world.kept if why is not None)
    assert [token for token, count in ends.items() if count > 1] == []
    begun = {token for token, why in walk.world.kept if why is None}
    assert begun <= set(ends)
    for device in walk.devices:
        told = Counter(m["call"] for m in device.inbox if m["t"] == "end")
        assert [token for token, count in told.items() if count > 1] == []
    await walk.world.hub.close()
