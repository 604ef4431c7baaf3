"""Descriptions of the peer that cannot be set: what is said of them, and that nothing changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jsep.sides import add, add_track, negotiate, side, stable_facts, without
from peerline.errors import InvalidAccessError, OperationError
from peerline.jsep import Session
from peerline.sdp import Candidate, SdpError, parse


def offered(*kinds: str) -> str:
    caller = side(1)
    for kind in kinds:
        add(caller, kind)
    caller.wants_data = True
    return caller.create_offer()


def refused(session: Session, kind: str, text: str, match: str, error: type[Exception] = InvalidAccessError) -> None:
    before = stable_facts(session)
    with pytest.raises(error, match=match):
        session.set_remote(kind, text)  # type: ignore[arg-type]
    assert stable_facts(session) == before


BROKEN_OFFERS: dict[str, tuple[Callable[[str], str], str]] = {
    "no ufrag": (lambda text: without(text, "a=ice-ufrag"), "a=ice-ufrag"),
    "no password": (lambda text: without(text, "a=ice-pwd"), "a=ice-pwd"),
    "no fingerprint": (lambda text: without(text, "a=fingerprint"), "a=fingerprint"),
    "no mux": (lambda text: without(text, "a=rtcp-mux"), "port of its own"),
    "a group of what is not there": (lambda text: text.replace("BUNDLE 0", "BUNDLE 9 0"), "BUNDLE"),
    "a group that names twice": (lambda text: text.replace("BUNDLE 0", "BUNDLE 0 0 1"), "BUNDLE|twice"),
    "SDES": (
        lambda text: without(text, "a=fingerprint") + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
        "fingerprint|SDES",
    ),
    "a number of RTCP": (lambda text: text.replace("SAVPF 111", "SAVPF 72 111"), "payload type 72"),
}


@pytest.mark.parametrize("name", BROKEN_OFFERS)
def test_an_offer_that_lacks_or_contradicts_something_is_refused(name: str) -> None:
    change, match = BROKEN_OFFERS[name]
    refused(side(2), "offer", change(offered("audio")), match)


def test_a_track_in_two_sections_is_refused() -> None:
    text = offered("audio", "audio")
    assert text.count("a=msid:-\r\n") == 2
    side(2).set_remote("offer", text)  # sections that name no track may say the same
    refused(side(2), "offer", text.replace("a=msid:-", "a=msid:- one"), "the track of another", OperationError)


def test_what_is_no_sdp_is_refused_with_its_line() -> None:
    callee = side(2)
    before = stable_facts(callee)
    with pytest.raises(SdpError) as error:
        callee.set_remote("offer", offered("audio").replace("a=mid:0", "mid:0"))
    assert error.value.line == 11
    assert stable_facts(callee) == before


def test_a_later_offer_keeps_all_sections_in_their_order() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    add(caller, "video")
    negotiate(caller, callee)
    caller.set_local("offer")
    text = str(caller.pending_local.description)  # type: ignore[union-attr]
    cut = text[: text.index("m=video")].replace("BUNDLE 0 1", "BUNDLE 0")
    refused(callee, "offer", cut, "is missing")
    swapped = text.replace("m=video", "m=xxxxx").replace("m=audio", "m=video").replace("m=xxxxx", "m=audio")
    refused(callee, "offer", swapped, "was of audio")
    refused(callee, "offer", text.replace("a=mid:1", "a=mid:7").replace("BUNDLE 0 1", "BUNDLE 0 7"), "another mid")


def broken_answers() -> dict[str, tuple[Callable[[str], str], str]]:
    return {
        "one section too few": (lambda text: text[: text.index("m=application")], "2 media sections"),
        "another kind": (lambda text: text.replace("m=video", "m=audio"), "the offer's of video"),
        "another mid": (lambda text: text.replace("a=mid:1", "a=mid:7").replace(" 1 2", " 7 2"), "another mid"),
        "another protocol": (lambda text: text.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF", 1), "protocol"),
        "nobody begins": (lambda text: text.replace("setup:active", "setup:actpass"), "who begins DTLS"),
        "more than was offered": (lambda text: text.replace("a=recvonly", "a=sendrecv", 1), "not offered"),
        "a group of its own": (lambda text: text.replace("BUNDLE 0 1 2", "BUNDLE 0 9"), "BUNDLE"),
        "no credentials": (lambda text: without(text, "a=ice-ufrag"), "ice-ufrag"),
        "another id": (lambda text: text.replace("extmap:1 ", "extmap:7 "), "another id"),
    }


@pytest.mark.parametrize("name", broken_answers())
def test_an_answer_that_is_none_to_the_offer_is_refused(name: str) -> None:
    change, match = broken_answers()[name]
    caller, callee = side(1), side(2)
    add(caller, "audio", "sendonly")
    add(caller, "video", "sendonly")
    caller.wants_data = True
    caller.set_local("offer")
    callee.set_remote("offer", str(caller.pending_local.description))  # type: ignore[union-attr]
    answer = callee.create_answer()
    refused(caller, "answer", change(answer), match)
    caller.set_remote("answer", answer)
    assert caller.signaling_state == "stable"


def test_an_answer_does_not_accept_what_was_rejected() -> None:
    caller, callee = side(1), side(2)
    add_track(caller, "audio")
    add_track(caller, "video")
    negotiate(caller, callee)
    caller.transceivers[1].stop_sending_and_receiving()
    caller.set_local("offer")
    callee.set_remote("offer", str(caller.pending_local.description))  # type: ignore[union-attr]
    answer = callee.create_answer()
    refused(caller, "answer", answer.replace("m=video 0", "m=video 9"), "not offered")


def test_a_section_outside_of_the_group_that_was_offered_as_bundle_only_cannot_be_accepted() -> None:
    caller, callee = side(1, bundle_policy="max-bundle"), side(2)
    add(caller, "audio")
    add(caller, "video")
    caller.set_local("offer")
    callee.set_remote("offer", str(caller.pending_local.description))  # type: ignore[union-attr]
    refused(caller, "answer", callee.create_answer().replace("BUNDLE 0 1", "BUNDLE 0"), "bundle-only")


def test_candidates_for_sections_that_are_not_there_are_refused() -> None:
    callee = side(2)
    callee.set_remote("offer", offered("audio"))
    with pytest.raises(OperationError, match="mid 'x'"):
        callee.sections_of_candidate("x", None, None)
    with pytest.raises(OperationError, match="none at 2"):
        callee.sections_of_candidate(None, 2, None)
    with pytest.raises(OperationError, match="user fragment 'nobody'"):
        callee.sections_of_candidate("0", None, "nobody")
    assert callee.sections_of_candidate(None, None, None) == [0, 1]


def test_a_late_candidate_of_a_section_that_is_refused_meanwhile_is_for_nobody_and_no_error() -> None:
    caller, callee = side(1), side(2)
    mine = add(caller, "audio")
    offer = caller.create_offer()
    caller.set_local("offer", offer)
    callee.set_remote("offer", offer)
    old = parse(offer).media[0].ice_ufrag
    answer = callee.create_answer()
    callee.set_local("answer", answer)
    caller.set_remote("answer", answer)
    mine.is_stopping = True
    again = caller.create_offer()
    assert parse(again).media[0].is_rejected
    callee.set_remote("offer", again)
    callee.set_local("answer")
    (place,) = callee.sections_of_candidate("0", None, old)
    candidate = Candidate.parse("candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host")
    callee.add_remote_candidate(candidate, [place], old)
    assert callee.current_remote is not None
    assert "192.0.2.1" not in str(callee.current_remote.description)
