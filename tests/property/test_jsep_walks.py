"""Two sides do anything in any order: what must hold all the same. And broken descriptions, which may do nothing."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsep.sides import add, add_track, side, stable_facts
from peerline.errors import InvalidAccessError, InvalidModificationError, InvalidStateError
from peerline.jsep import RTX, Session, Transceiver, is_media
from peerline.jsep.codecs import CODECS
from peerline.jsep.direction import TransceiverDirection, reverse
from peerline.sdp import SdpError, parse
from sdp.captures import CAPTURES

DIRECTIONS: tuple[TransceiverDirection, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
STEPS = 40


class Walk:
    """One walk; everything it does comes from its seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        policies = ("balanced", "max-compat", "max-bundle")
        self.sides = [side(100 + n, bundle_policy=self.random.choice(policies)) for n in (1, 2)]
        self.did: list[str] = []

    def step(self) -> None:
        mine = self.random.choice(self.sides)
        other = self.sides[1 - self.sides.index(mine)]
        acts: list[Callable[[Session, Session], None]] = [
            self.add, self.add_track, self.turn, self.stop, self.prefer, self.open_data, self.restart,
            self.round, self.round, self.round, self.provisional_round, self.glare, self.roll_back, self.offer_alone,
        ]  # fmt: skip
        act = self.random.choice(acts)
        self.did.append(f"{act.__name__}({self.sides.index(mine)})")
        act(mine, other)

    def add(self, mine: Session, _: Session) -> None:
        if len(mine.transceivers) < 8:
            kind = self.random.choice(("audio", "video"))
            rids = self.random.sample("abc", self.random.choice((0, 0, 2, 3))) if kind == "video" else []
            add(mine, kind, self.random.choice(DIRECTIONS), encodings=[{"rid": rid} for rid in rids] or [{}])

    def add_track(self, mine: Session, _: Session) -> None:
        if len(mine.transceivers) < 8:
            add_track(
                mine, self.random.choice(("audio", "video")), *self.random.sample("xyz", self.random.randrange(3))
            )

    def turn(self, mine: Session, _: Session) -> None:
        alive = [one for one in mine.transceivers if not one.is_stopping]
        if alive:
            self.random.choice(alive).direction = self.random.choice(DIRECTIONS)

    def stop(self, mine: Session, _: Session) -> None:
        alive = [one for one in mine.transceivers if not one.is_stopping]
        if alive and self.random.random() < 0.5:
            self.random.choice(alive).stop_sending_and_receiving()

    def prefer(self, mine: Session, _: Session) -> None:
        for one in mine.transceivers[:1]:
            codecs = [row.codec for row in CODECS[one.kind]]
            chosen = self.random.sample(codecs, self.random.randrange(1, len(codecs)))
            # The first of the table is always among them: both sides always have something in common.
            one.preferred_codecs = tuple(dict.fromkeys([*chosen, codecs[0], RTX]))

    def open_data(self, mine: Session, _: Session) -> None:
        mine.wants_data = True

    def restart(self, mine: Session, _: Session) -> None:
        mine.restart_ice()

    def round(self, mine: Session, other: Session) -> None:
        if self.offer(mine, other):
            self.answer(mine, other, "answer")

    def provisional_round(self, mine: Session, other: Session) -> None:
        if self.offer(mine, other):
            self.answer(mine, other, "pranswer")
            self.answer(mine, other, "answer")

    def offer(self, mine: Session, other: Session) -> bool:
        assert mine.signaling_state == "stable" == other.signaling_state
        text = mine.create_offer()
        assert mine.create_offer() == text
        mine.set_local("offer", text)
        other.set_remote("offer", text)
        return True

    def answer(self, mine: Session, other: Session, kind: str) -> None:
        text = other.create_answer()
        other.set_local(kind, text)  # type: ignore[arg-type]
        mine.set_remote(kind, text)  # type: ignore[arg-type]

    def glare(self, mine: Session, other: Session) -> None:
        mine.set_local("offer")
        other.set_local("offer")
        assert mine.pending_local is not None
        # The polite one gives way.
        other.set_local("rollback")
        other.set_remote("offer", str(mine.pending_local.description))
        self.answer(mine, other, "answer")

    def roll_back(self, mine: Session, other: Session) -> None:
        before = [self.agreed(one) for one in self.sides]
        self.offer(mine, other)
        mine.set_local("rollback")
        other.set_remote("rollback")
        assert [self.agreed(one) for one in self.sides] == before

    def offer_alone(self, mine: Session, _: Session) -> None:
        before = self.agreed(mine)
        mine.set_local("offer")
        mine.set_local("offer")
        mine.set_local("rollback")
        assert self.agreed(mine) == before

    @staticmethod
    def agreed(one: Session) -> object:
        """What both have agreed on, and where transceivers are. What an offer has stopped stays so, even if it is
        taken back: stopped ones do not count."""
        agreed = one.signaling_state, one.layout, one.data_mid, one.current_local, one.current_remote
        return _Agreed(agreed, {t: (t.mid, t.index, t.current_direction) for t in one.transceivers})

    # What must hold -----------------------------------------------------------------------------

    def check(self) -> None:
        for one in self.sides:
            self.check_one(one)
        mine, other = self.sides
        if mine.current_local is not None:
            self.check_both(mine, other)

    def check_one(self, one: Session) -> None:
        assert one.signaling_state == "stable"
        named = [(t.mid, t.index) for t in one.transceivers if t.mid is not None]
        assert len({mid for mid, _ in named}) == len(named) == len({index for _, index in named})
        for applied in one.applied:
            text = str(applied.description)
            assert str(parse(text)) == text
        used = {key for key in one.layout.carriers if key is not None}
        assert set(one.layout.transports) == used
        for key, plan in one.layout.transports.items():
            assert one.layout.carriers[plan.index] == key
            assert plan.role is not None
        for transceiver in one.transceivers:
            numbers = [codec.payload_type for codec in transceiver.receive_codecs]
            assert len(set(numbers)) == len(numbers)

    def check_both(self, mine: Session, other: Session) -> None:
        assert mine.current_local is not None
        assert mine.current_remote is not None
        assert other.current_local is not None
        assert other.current_remote is not None
        ours, theirs = mine.current_local.description, other.current_local.description
        assert [m.kind for m in ours.media] == [m.kind for m in theirs.media]
        assert [m.mid for m in ours.media] == [m.mid for m in theirs.media]
        for index in range(len(ours.media)):
            a, b = mine.layout.of(index), other.layout.of(index)
            assert (a is None) == (b is None)
            if a is not None and b is not None:
                assert (a.local, a.remote) == (b.remote, b.local)
                assert {a.role, b.role} == {"active", "passive"}
                assert mine.layout.sections_of(a.key) == other.layout.sections_of(b.key)
        assert mine.data_mid == other.data_mid
        assert (mine.data is None) == (other.data is None)
        by_mid = {t.mid: t for t in other.transceivers if t.mid is not None}
        for t in mine.transceivers:
            if t.mid is None or t.mid not in by_mid:
                continue
            peer = by_mid[t.mid]
            if t.current_direction is None or peer.current_direction is None:
                continue
            assert t.current_direction == reverse(peer.current_direction)
            sent = [codec.payload_type for codec in t.send_codecs if is_media(codec)]
            received = [codec.payload_type for codec in peer.receive_codecs if is_media(codec)]
            assert not received or sorted(sent) == sorted(received)
            assert {(e.id, e.uri) for e in t.extensions} == {(e.id, e.uri) for e in peer.extensions}


@pytest.mark.parametrize("seed", range(40))
def test_two_sides_agree_whatever_they_do(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
        try:
            walk.check()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, after {' '.join(walk.did)}") from error


@pytest.mark.parametrize("seed", range(20))
def test_after_a_round_in_each_direction_nothing_is_left_to_negotiate(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(STEPS // 2):
        walk.step()
    for mine, other in ((0, 1), (1, 0), (0, 1), (1, 0)):
        walk.round(walk.sides[mine], walk.sides[other])
    assert not any(one.is_negotiation_needed for one in walk.sides)


class _Agreed:
    def __init__(self, agreed: object, places: dict[Transceiver, object]) -> None:
        self.agreed = agreed
        self.places = places

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, _Agreed)
        places = [{t: place for t, place in one.places.items() if not t.is_stopping} for one in (self, other)]
        return self.agreed == other.agreed and places[0] == places[1]


REFUSALS = (SdpError, InvalidAccessError, InvalidStateError, InvalidModificationError)
TEXTS = [path.read_bytes().decode() for path in CAPTURES]


@given(st.sampled_from(TEXTS), st.data())
@settings(max_examples=150, deadline=None)
def test_a_broken_description_is_refused_and_changes_nothing_or_is_taken(text: str, data: st.DataObject) -> None:
    lines = text.split("\r\n")
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "cut", "letters"])):
            case "drop":
                del lines[index]
            case "double":
                lines.insert(index, lines[index])
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[index], lines[other] = lines[other], lines[index]
            case "cut":
                lines[index] = lines[index][: data.draw(st.integers(0, 30))]
            case "letters":
                lines[index] += data.draw(st.text(max_size=5))
        if not lines:
            return
    _try(side(), "\r\n".join(lines))
    caller = side()
    add(caller, "audio")
    caller.set_local("offer")
    _try(caller, "\r\n".join(lines), "answer")


def _try(session: Session, text: str, kind: str = "offer") -> None:
    before = stable_facts(session)
    try:
        session.set_remote(kind, text)  # type: ignore[arg-type]
    except REFUSALS:
        assert stable_facts(session) == before
    else:
        if kind == "offer":
            parse(session.create_answer())
            session.set_local("answer")
        assert session.signaling_state == "stable"
