"""What an answer says to an offer, and what both come to."""

from __future__ import annotations

import pytest

from jsep.sides import add, add_track, names, negotiate, side, without
from peerline.errors import InvalidStateError
from peerline.jsep import CODECS, Session
from peerline.jsep.direction import intersect, reverse
from peerline.sdp import Description, parse

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


def answered(callee: Session, offer: str) -> Description:
    callee.set_remote("offer", offer)
    answer = callee.create_answer()
    callee.set_local("answer", answer)
    return parse(answer)


@pytest.mark.parametrize("offered", DIRECTIONS)
@pytest.mark.parametrize("wished", DIRECTIONS)
def test_a_direction_is_what_both_want(offered: str, wished: str) -> None:
    caller, callee = side(1), side(2)
    mine = add(caller, "audio", offered)
    offer = caller.create_offer()
    caller.set_local("offer", offer)
    callee.set_remote("offer", offer)
    (theirs,) = callee.transceivers
    theirs.direction = wished  # type: ignore[assignment]
    callee.set_local("answer")
    caller.set_remote("answer", str(callee.current_local.description))  # type: ignore[union-attr]
    assert theirs.current_direction == intersect(wished, reverse(offered))
    assert mine.current_direction == reverse(theirs.current_direction)


def test_an_answer_keeps_order_and_mids() -> None:
    caller, callee = side(1), side(2)
    add(caller, "video")
    caller.wants_data = True
    add(caller, "audio")
    offer, answer = negotiate(caller, callee)
    assert [(media.kind, media.mid) for media in answer.media] == [(media.kind, media.mid) for media in offer.media]


def test_a_track_that_was_added_before_is_sent_in_the_section_of_the_offer() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    waiting = add_track(callee, "audio", "stream")
    negotiate(caller, callee)
    assert callee.transceivers == [waiting]
    assert waiting.current_direction == "sendrecv"


def test_what_add_transceiver_made_does_not_take_a_section_of_an_offer() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    waiting = add(callee, "audio")
    negotiate(caller, callee)
    assert waiting.mid is None
    assert len(callee.transceivers) == 2


def test_the_answer_has_the_codecs_of_both_under_the_numbers_of_the_offer() -> None:
    caller, callee = side(1), side(2)
    vp9 = next(row.codec for row in CODECS["video"] if row.codec.name == "VP9")
    h264 = next(row.codec for row in CODECS["video"] if row.codec.name == "H264")
    add(caller, "video", preferred_codecs=(vp9, h264))
    offer = caller.create_offer().replace(" 98", " 50").replace(":98 ", ":50 ")
    callee.set_remote("offer", offer)
    callee.transceivers[0].preferred_codecs = (h264, vp9)
    answer = parse(callee.create_answer())
    assert [(codec.name, codec.payload_type) for codec in answer.media[0].codecs] == [("H264", 102), ("VP9", 50)]


def test_a_section_without_a_common_codec_is_refused() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    offer = caller.create_offer()
    strange = without(offer, "a=rtpmap:0", "a=rtpmap:8", "a=rtpmap:9").replace("opus", "speex").replace(" 9 0 8", "")
    answer = answered(callee, strange)
    assert answer.media[0].is_rejected
    assert answer.bundle == ()
    assert callee.transceivers == []


def test_feedback_that_only_one_side_knows_is_not_given() -> None:
    caller, callee = side(1), side(2)
    mine = add(caller, "video")
    add_track(callee, "video", "stream")
    offer = caller.create_offer()
    caller.set_local("offer", offer)
    callee.set_remote("offer", offer)
    answer = "".join(line for line in callee.create_answer().splitlines(True) if "transport-cc" not in line)
    caller.set_remote("answer", answer)
    vp8 = next(codec for codec in mine.receive_codecs if codec.key == "vp8")
    assert {(one.kind, one.parameter) for one in vp8.feedback} == {
        ("goog-remb", ""), ("ccm", "fir"), ("nack", ""), ("nack", "pli"),
    }  # fmt: skip


def test_tones_alone_are_no_common_codec() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    offer = caller.create_offer().replace("111 63 9 0 8 110 126", "110 126")
    offer = without(offer, *(f"a=rtpmap:{number} " for number in (111, 63, 9, 0, 8)), "a=fmtp", "a=rtcp-fb")
    assert answered(callee, offer).media[0].is_rejected


@pytest.mark.parametrize(
    "line",
    [
        "m=image 9 udptl t38",
        "m=text 9 UDP/TLS/RTP/SAVPF 98",
        "m=application 9 UDP/BFCP *",
        "m=audio 9 RTP/SAVPX 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    ],
)
def test_an_unknown_medium_is_refused_and_the_others_are_not(line: str) -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    answer = answered(callee, caller.create_offer() + f"{line}\r\nc=IN IP4 0.0.0.0\r\na=mid:x\r\n")
    assert [media.is_rejected for media in answer.media] == [False, True]
    assert answer.media[1].mid == "x"


def test_h264_is_answered_at_the_level_that_both_can() -> None:
    caller, callee = side(1), side(2)
    h264 = next(row.codec for row in CODECS["video"] if "42e01f" in row.codec.fmtp.text)
    add(caller, "video", preferred_codecs=(h264,))
    offer = caller.create_offer().replace("level-asymmetry-allowed=1;", "").replace("42e01f", "42e00c")
    answer = answered(callee, offer)
    assert answer.media[0].codecs[0].fmtp.get("profile-level-id") == "42e00c"


def test_data_channels_of_the_older_form_are_answered_in_it() -> None:
    caller, callee = side(1), side(2)
    caller.wants_data = True
    offer = caller.create_offer().replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5001")
    offer = offer.replace("a=sctp-port:5000", "a=sctpmap:5001 webrtc-datachannel 1024")
    answer = answered(callee, without(offer, "a=max-message-size"))
    assert answer.media[0].protocol == "DTLS/SCTP"
    assert answer.media[0].sctp_port == 5000
    assert callee.data is not None
    assert (callee.data.remote_port, callee.data.remote_max_message_bytes) == (5001, 65536)


def test_a_second_section_of_data_channels_is_refused() -> None:
    caller, callee = side(1), side(2)
    caller.wants_data = True
    offer = caller.create_offer()
    section = offer[offer.index("m=application") :].replace("a=mid:0", "a=mid:1")
    answer = answered(callee, offer.replace("BUNDLE 0", "BUNDLE 0 1") + section)
    assert [media.is_rejected for media in answer.media] == [False, True]
    assert callee.data_index == 0


@pytest.mark.parametrize(
    ("offered", "role", "answer"),
    [("actpass", "active", "active"), ("active", "passive", "passive"), ("passive", "active", "active")],
)
def test_who_begins_dtls(offered: str, role: str, answer: str) -> None:
    caller, callee = side(1), side(2)
    caller.wants_data = True
    described = answered(callee, caller.create_offer().replace("actpass", offered))
    assert described.media[0].setup == answer
    plan = callee.layout.of(0)
    assert plan is not None
    assert plan.role == role


def test_roles_stay_when_the_other_side_offers() -> None:
    caller, callee = side(1), side(2)
    caller.wants_data = True
    negotiate(caller, callee)
    negotiate(callee, caller)
    assert [plan.role for plan in caller.layout.transports.values()] == ["passive"]
    assert [plan.role for plan in callee.layout.transports.values()] == ["active"]


def test_bundled_sections_share_the_first_transport_and_the_others_go() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    add(caller, "video")
    caller.wants_data = True
    caller.set_local("offer")
    assert len(caller.layout.transports) == 3
    callee.set_remote("offer", str(caller.pending_local.description))  # type: ignore[union-attr]
    callee.set_local("answer")
    caller.set_remote("answer", str(callee.current_local.description))  # type: ignore[union-attr]
    for session in (caller, callee):
        assert session.layout.carriers == (0, 0, 0)
        assert len(session.layout.transports) == 1


def test_who_knows_no_bundle_gets_a_transport_for_each_section() -> None:
    caller, callee = side(1, bundle_policy="max-compat"), side(2)
    add(caller, "audio")
    add(caller, "video")
    offer = without(caller.create_offer(), "a=group", "a=mid")
    caller.set_local("offer")
    answer = answered(callee, offer)
    assert answer.bundle == ()
    caller.set_remote("answer", without(str(answer), "a=mid"))
    for session in (caller, callee):
        assert len(session.layout.transports) == 2
        assert [plan.index for plan in session.layout.transports.values()] == [0, 1]


def test_what_is_bundle_only_is_refused_without_a_group() -> None:
    caller, callee = side(1, bundle_policy="max-bundle"), side(2)
    add(caller, "audio")
    add(caller, "video")
    answer = answered(callee, without(caller.create_offer(), "a=group"))
    assert [media.is_rejected for media in answer.media] == [False, True]


def test_max_bundle_takes_the_first_of_an_offer_without_a_group() -> None:
    caller, callee = side(1, bundle_policy="max-compat"), side(2, bundle_policy="max-bundle")
    add(caller, "audio")
    add(caller, "video")
    answer = answered(callee, without(caller.create_offer(), "a=group"))
    assert [media.is_rejected for media in answer.media] == [False, True]


def test_when_the_section_that_stands_for_the_group_is_refused_the_next_does() -> None:
    caller, callee = side(1), side(2)
    add(caller, "audio")
    add(caller, "video")
    offer = caller.create_offer().replace("opus", "speex")
    offer = without(offer, "a=rtpmap:0", "a=rtpmap:8", "a=rtpmap:9").replace(" 9 0 8", "")
    answer = answered(callee, offer)
    assert answer.bundle == ("1",)
    plan = callee.layout.of(1)
    assert plan is not None
    assert plan.remote is not None
    assert plan.remote.ufrag == parse(offer).media[1].ice_ufrag


def test_an_offer_to_receive_simulcast_is_answered_with_these_encodings() -> None:
    caller, callee = side(1), side(2)
    add(caller, "video", "recvonly")
    waiting = add_track(callee, "video")
    offer = caller.create_offer() + "a=rid:lo recv\r\na=rid:hi recv\r\na=simulcast:recv lo;hi\r\n"
    answer = answered(callee, offer)
    assert str(answer.media[0].simulcast) == "send lo;hi"
    assert [(one["rid"], one["scaleResolutionDownBy"]) for one in waiting.encodings] == [("lo", 2), ("hi", 1)]


def test_an_answer_without_simulcast_leaves_the_first_encoding() -> None:
    caller, callee = side(1), side(2)
    mine = add(caller, "video", encodings=[{"rid": "a"}, {"rid": "b"}])
    negotiate(caller, callee)
    assert [one["rid"] for one in mine.encodings] == ["a"]


def test_an_answer_leaves_the_encodings_that_it_names() -> None:
    caller, callee = side(1), side(2)
    mine = add(caller, "video", encodings=[{"rid": "a"}, {"rid": "b"}, {"rid": "c"}])
    caller.set_local("offer")
    callee.set_remote("offer", str(caller.pending_local.description))  # type: ignore[union-attr]
    answer = callee.create_answer() + "a=rid:a recv\r\na=rid:c recv\r\na=simulcast:recv a;c\r\n"
    caller.set_remote("answer", answer)
    assert [one["rid"] for one in mine.encodings] == ["a", "c"]


def test_each_side_sends_with_the_other_sides_numbers() -> None:
    caller, callee = side(1), side(2)
    mine = add(caller, "audio")
    caller.set_local("offer")
    callee.set_remote("offer", str(caller.pending_local.description))  # type: ignore[union-attr]
    answer = callee.create_answer().replace("SAVPF 111 63", "SAVPF 100 63").replace(":111 ", ":100 ")
    caller.set_remote("answer", answer.replace("111/111", "100/100"))
    assert mine.send_codecs[0].payload_type == 100
    assert mine.receive_codecs == ()
    assert mine.current_direction == "sendonly"


def test_remote_tracks_are_announced_with_their_streams_and_muted_when_they_go() -> None:
    caller, callee = side(1), side(2)
    mine = add_track(caller, "audio", "s1", "s2")
    came = callee.set_remote("offer", _set(caller))
    (change,) = came.tracks
    assert (change.stream_ids, change.is_announced, change.is_muted) == (("s1", "s2"), True, False)
    callee.set_local("answer")
    caller.set_remote("answer", str(callee.current_local.description))  # type: ignore[union-attr]
    mine.direction = "inactive"
    came = callee.set_remote("offer", _set(caller))
    (change,) = came.tracks
    assert (change.stream_ids, change.is_announced, change.is_muted) == ((), False, True)


def _set(session: Session) -> str:
    session.set_local("offer")
    return str(session.pending_local.description)  # type: ignore[union-attr]


def test_answers_need_an_offer() -> None:
    with pytest.raises(InvalidStateError):
        side().create_answer()


def test_names_of_codecs_have_no_case() -> None:
    caller, callee = side(1), side(2)
    add(caller, "video")
    assert "vp8" in names(answered(callee, caller.create_offer().replace("VP8", "vp8")).media[0])
