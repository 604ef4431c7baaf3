"""A second round and later ones: sections that stay, go and are used again; restarts of ICE; rollback."""

from __future__ import annotations

import pytest

from jsep.sides import add, add_track, mids, negotiate, offer_of, side, stable_facts, without
from peerline.errors import InvalidStateError
from peerline.jsep import Session
from peerline.sdp import Candidate, parse

HOST = Candidate.parse("candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host")
RELAY = Candidate.parse("candidate:2 1 udp 41885439 198.51.100.9 3478 typ relay raddr 192.0.2.7 rport 50000")


def pair() -> tuple[Session, Session]:
    caller, callee = side(1), side(2)
    add_track(caller, "audio", "s")
    add_track(caller, "video", "s")
    caller.wants_data = True
    negotiate(caller, callee)
    return caller, callee


def local(session: Session) -> str:
    applied = session.local
    assert applied is not None
    return str(applied.description)


# Sections ------------------------------------------------------------------------------------------


def test_a_second_offer_changes_nothing_by_itself() -> None:
    caller, callee = pair()
    before = stable_facts(caller)
    negotiate(caller, callee)
    after = stable_facts(caller)
    assert after["mids"] == before["mids"]
    assert after["layout"] == before["layout"]


def test_sections_keep_their_places_and_new_ones_follow() -> None:
    caller, callee = pair()
    add(caller, "audio")
    offer, answer = negotiate(caller, callee)
    assert mids(offer) == ["0", "1", "2", "3"] == list(mids(answer))
    assert [media.kind for media in offer.media] == ["audio", "video", "application", "audio"]
    assert offer.media[3].is_bundle_only


def test_a_stopped_transceiver_rejects_its_section_and_both_sides_forget_it() -> None:
    caller, callee = pair()
    stopped = caller.transceivers[1]
    stopped.stop_sending_and_receiving()
    offer, answer = negotiate(caller, callee)
    assert offer.media[1].is_rejected
    assert answer.media[1].is_rejected
    assert offer.bundle == ("0", "2") == answer.bundle
    assert stopped.is_stopped
    assert stopped.mid is None
    for session in (caller, callee):
        assert [one.kind for one in session.transceivers] == ["audio"]
        assert session.layout.carriers == (0, None, 0)


def test_a_rejected_section_is_used_again_under_another_name() -> None:
    caller, callee = pair()
    caller.transceivers[1].stop_sending_and_receiving()
    negotiate(caller, callee)
    again = add(caller, "audio")
    offer, _ = negotiate(caller, callee)
    assert [media.kind for media in offer.media] == ["audio", "audio", "application"]
    assert again.index == 1
    assert again.mid not in ("0", "1", "2")


def test_a_rejected_section_is_used_again_by_the_other_side() -> None:
    caller, callee = pair()
    caller.transceivers[1].stop_sending_and_receiving()
    negotiate(caller, callee)
    add(callee, "video")
    offer, _ = negotiate(callee, caller)
    assert [media.is_rejected for media in offer.media] == [False, False, False]
    assert caller.transceivers[-1].index == 1


def test_when_the_section_that_stands_for_the_transport_goes_the_transport_stays() -> None:
    caller, callee = pair()
    before = caller.layout.of(2)
    caller.transceivers[0].stop_sending_and_receiving()
    negotiate(caller, callee)
    after = caller.layout.of(2)
    assert before is not None
    assert after is not None
    assert (after.key, after.local, after.role) == (before.key, before.local, before.role)
    assert after.index == 1
    plan = callee.layout.of(2)
    assert plan is not None
    assert plan.index == 1


def test_a_transceiver_that_was_stopped_before_any_offer_is_not_offered() -> None:
    caller = side()
    add(caller, "audio").stop_sending_and_receiving()
    add(caller, "video")
    assert [media.kind for media in offer_of(caller).media] == ["video"]


def test_an_offer_that_rejects_a_section_stops_its_transceiver_at_once() -> None:
    caller, callee = pair()
    caller.transceivers[1].stop_sending_and_receiving()
    caller.set_local("offer")
    came = callee.set_remote("offer", local(caller))
    assert came.stopped == [callee.transceivers[1]]
    callee.set_local("answer")
    assert len(callee.transceivers) == 1


# Restart -------------------------------------------------------------------------------------------


def test_an_ice_restart_has_new_credentials_and_keeps_the_transport() -> None:
    caller, callee = pair()
    before = {key: plan.local for key, plan in caller.layout.transports.items()}
    caller.restart_ice()
    assert caller.is_negotiation_needed
    offer, answer = negotiate(caller, callee)
    after = {key: plan.local for key, plan in caller.layout.transports.items()}
    assert after.keys() == before.keys()
    assert set(after.values()).isdisjoint(before.values())
    assert answer.media[0].ice_ufrag != offer.media[0].ice_ufrag
    assert not caller.is_negotiation_needed


def test_who_answers_a_restart_restarts_too_and_nobody_else_does() -> None:
    caller, callee = pair()
    before = callee.layout.of(0)
    negotiate(caller, callee)
    assert callee.layout.of(0) == before
    caller.set_local("offer", caller.create_offer(is_ice_restart=True))
    callee.set_remote("offer", local(caller))
    callee.set_local("answer")
    plan = callee.layout.of(0)
    assert plan is not None
    assert before is not None
    assert plan.local != before.local
    assert plan.remote != before.remote


def test_a_restart_that_is_rolled_back_brings_the_old_credentials_back() -> None:
    caller, callee = pair()
    before = caller.layout, callee.layout
    caller.restart_ice()
    caller.set_local("offer")
    callee.set_remote("offer", local(caller))
    assert (caller.layout, callee.layout) != before
    caller.set_local("rollback")
    callee.set_remote("rollback")
    assert (caller.layout, callee.layout) == before
    assert caller.is_negotiation_needed


# Rollback ------------------------------------------------------------------------------------------


def test_a_rollback_takes_back_all_that_the_offer_did() -> None:
    caller, callee = pair()
    before = stable_facts(callee)
    streams = [one.remote_stream_ids for one in callee.transceivers]
    add(caller, "video")
    caller.transceivers[0].direction = "inactive"
    caller.set_local("offer")
    callee.set_remote("offer", local(caller))
    assert callee.transceivers[0].remote_stream_ids == ()
    came = callee.set_remote("rollback")
    assert stable_facts(callee) == before
    assert [one.remote_stream_ids for one in callee.transceivers] == streams
    assert len(came.removed) == 1


def test_a_rollback_keeps_a_transceiver_that_got_a_track_meanwhile() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    callee.set_remote("offer", caller.create_offer())
    (made,) = callee.transceivers
    made.has_had_add_track = True
    callee.set_remote("rollback")
    assert callee.transceivers == [made]
    assert made.mid is None
    # From then on it is as if addTrack had made it: the next offer takes it.
    callee.set_remote("offer", caller.create_offer())
    assert callee.transceivers == [made]
    assert made.mid == "0"


def test_the_offer_that_was_rolled_back_can_be_made_again() -> None:
    caller, callee = side(1), side(2)
    mine = add(caller, "audio")
    caller.set_local("offer")
    caller.set_local("rollback")
    assert mine.mid is None
    assert caller.layout.transports == {}
    negotiate(caller, callee)
    assert mine.current_direction == "sendonly"


def test_an_answer_that_was_made_before_a_rollback_still_fits_the_same_offer() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    offer = caller.create_offer()
    callee.set_remote("offer", offer)
    answer = callee.create_answer()
    callee.set_remote("rollback")
    callee.set_remote("offer", offer)
    callee.set_local("answer", answer)
    assert callee.transceivers[0].current_direction == "recvonly"
    plan = callee.layout.of(0)
    assert plan is not None
    assert plan.local.ufrag == parse(answer).media[0].ice_ufrag


def test_nothing_is_rolled_back_in_the_stable_state() -> None:
    with pytest.raises(InvalidStateError):
        side().set_local("rollback")


def test_provisional_answers_may_change_until_the_answer_comes() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    add(caller, "video")
    caller.set_local("offer")
    callee.set_remote("offer", local(caller))
    callee.set_local("pranswer")
    caller.set_remote("pranswer", local(callee))
    assert (caller.signaling_state, callee.signaling_state) == ("have-remote-pranswer", "have-local-pranswer")
    assert caller.pending_remote is not None
    callee.transceivers[1].direction = "inactive"
    callee.set_local("answer")
    caller.set_remote("answer", local(callee))
    assert (caller.signaling_state, callee.signaling_state) == ("stable", "stable")
    assert caller.transceivers[1].current_direction == "inactive"
    assert len(caller.layout.transports) == 1


# Whether to negotiate ------------------------------------------------------------------------------


def test_there_is_nothing_to_negotiate_at_first_and_after_a_round() -> None:
    assert not side().is_negotiation_needed
    caller, callee = pair()
    assert not caller.is_negotiation_needed
    assert not callee.is_negotiation_needed


@pytest.mark.parametrize("change", ["direction", "streams", "stop", "new", "data"])
def test_every_change_needs_a_negotiation(change: str) -> None:
    caller, callee = side(1), side(2)
    mine = add_track(caller, "audio", "s")
    negotiate(caller, callee)
    if change == "direction":
        mine.direction = "recvonly"
    elif change == "streams":
        mine.stream_ids = ("s", "t")
    elif change == "stop":
        mine.stop_sending_and_receiving()
    elif change == "new":
        add(caller, "audio")
    else:
        caller.wants_data = True
    assert caller.is_negotiation_needed
    negotiate(caller, callee)
    assert not caller.is_negotiation_needed


def test_an_answerer_that_wants_to_send_where_nobody_listened_offers_itself() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio", "sendonly")
    negotiate(caller, callee)
    assert not callee.is_negotiation_needed
    callee.transceivers[0].direction = "sendrecv"
    assert callee.is_negotiation_needed


# Candidates ----------------------------------------------------------------------------------------


def test_candidates_stand_in_the_descriptions_of_their_generation() -> None:
    caller, _ = pair()
    plan = caller.layout.of(0)
    assert plan is not None
    caller.add_local_candidate(plan.local.ufrag, HOST)
    caller.add_local_candidate(plan.local.ufrag, RELAY)
    caller.end_local_candidates(plan.local.ufrag)
    audio, video, _ = parse(local(caller)).media
    assert [str(one) for one in audio.candidates] == [str(HOST), str(RELAY)]
    assert audio.has_all_candidates
    assert not video.candidates
    # Who knows no ICE is told of the relay: it works from everywhere.
    assert audio.port == 3478
    assert str(audio.connection) == "IN IP4 198.51.100.9"


def test_later_offers_repeat_candidates_and_restarts_do_not() -> None:
    caller, _ = pair()
    plan = caller.layout.of(0)
    assert plan is not None
    caller.add_local_candidate(plan.local.ufrag, HOST)
    caller.set_local("offer")
    assert str(HOST) in local(caller)
    caller.set_local("rollback")
    caller.restart_ice()
    caller.set_local("offer")
    assert str(HOST) not in local(caller)
    assert caller.current_local is not None
    assert str(HOST) in str(caller.current_local.description)


def test_candidates_of_the_peer_go_where_their_generation_is() -> None:
    caller, callee = pair()
    plan = caller.layout.of(0)
    assert plan is not None
    assert plan.remote is not None
    sections = caller.sections_of_candidate("0", None, plan.remote.ufrag)
    caller.add_remote_candidate(HOST, sections, plan.remote.ufrag)
    caller.add_remote_candidate(None, sections, plan.remote.ufrag)
    assert caller.current_remote is not None
    audio = caller.current_remote.description.media[0]
    assert [str(one) for one in audio.candidates] == [str(HOST)]
    assert audio.has_all_candidates
    assert callee.current_local is not None


def test_trickle_is_what_the_peer_says_of_it() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    assert callee.can_trickle is None
    offer = caller.create_offer()
    callee.set_remote("offer", without(offer, "a=ice-options"))
    assert callee.can_trickle is False
    callee.set_remote("offer", offer)
    assert callee.can_trickle is True


def test_what_was_stopped_before_it_had_a_section_asks_for_nothing_and_goes_with_the_next_answer() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio").stop_sending_and_receiving()
    assert not caller.is_negotiation_needed
    video = add(caller, "video")
    negotiate(caller, callee)
    assert caller.transceivers == [video]


def test_when_another_peer_answers_it_gets_a_transport_of_its_own() -> None:
    caller, first, second = side(1), side(2), side(3)
    caller.wants_data = True
    negotiate(caller, first)
    before = caller.layout.of(0)
    negotiate(caller, second)
    after = caller.layout.of(0)
    assert before is not None
    assert after is not None
    assert after.key != before.key
    assert after.local == before.local
    assert after.fingerprints == second.settings.fingerprints
    assert list(caller.layout.transports) == [after.key]


def test_of_several_that_answer_provisionally_the_last_one_stays() -> None:
    caller, first, second = side(1), side(2), side(3)
    add(caller, "audio")
    caller.set_local("offer")
    for callee in (first, second):
        callee.set_remote("offer", local(caller))
        callee.set_local("pranswer")
        caller.set_remote("pranswer", local(callee))
    early = caller.layout.of(0)
    second.set_local("answer")
    caller.set_remote("answer", local(second))
    assert caller.layout.of(0) == early
    assert len(caller.layout.transports) == 1


def test_when_another_peer_offers_it_gets_a_transport_of_its_own() -> None:
    caller, first, second = side(1), side(2), side(3)
    first.wants_data = second.wants_data = True
    negotiate(first, caller)
    before = caller.layout.of(0)
    negotiate(second, caller)
    after = caller.layout.of(0)
    assert before is not None
    assert after is not None
    assert after.key != before.key
    assert after.local != before.local
