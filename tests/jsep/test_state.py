"""The table of signaling states, walked through."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from peerline.errors import InvalidStateError
from peerline.jsep import STATES, TRANSITIONS, SdpType, SignalingState, next_state
from peerline.jsep.state import Side

EVERY_STEP = list(itertools.product(STATES, get_args(Side), get_args(SdpType)))


@pytest.mark.parametrize(("state", "side", "kind"), EVERY_STEP)
def test_every_step_is_in_the_table_or_refused(state: SignalingState, side: Side, kind: SdpType) -> None:
    known = TRANSITIONS.get((state, side, kind))
    if known is not None:
        assert next_state(state, side, kind) == known
    else:
        with pytest.raises(InvalidStateError, match=kind):
            next_state(state, side, kind)


def test_a_refusal_says_what_could_be_set() -> None:
    with pytest.raises(InvalidStateError) as refused:
        next_state("stable", "remote", "answer")
    assert refused.value.hint == "Possible here: local offer, remote offer."


def test_an_answer_ends_every_negotiation() -> None:
    assert {after for (_, _, kind), after in TRANSITIONS.items() if kind == "answer"} == {"stable"}


def test_whoever_offers_does_not_answer() -> None:
    for state, side, kind in TRANSITIONS:
        if kind in ("answer", "pranswer") and state != "stable":
            offerer = "local" if state in ("have-local-offer", "have-remote-pranswer") else "remote"
            assert side != offerer


def test_a_provisional_answer_cannot_be_rolled_back() -> None:
    assert not [step for step in TRANSITIONS if "pranswer" in step[0] and step[2] == "rollback"]


def test_nothing_is_possible_once_closed() -> None:
    assert not [step for step in TRANSITIONS if step[0] == "closed"]
