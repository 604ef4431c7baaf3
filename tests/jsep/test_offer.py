"""What an offer says."""

from __future__ import annotations

import pytest

from jsep.sides import add, add_track, names, negotiate, offer_of, side
from peerline.errors import InvalidModificationError, InvalidStateError
from peerline.jsep import CODECS, RTX
from peerline.sdp import parse


def test_an_offer_of_nothing_has_no_section_and_no_group() -> None:
    offer = offer_of(side())
    assert offer.media == ()
    assert offer.bundle == ()


def test_the_same_state_gives_the_same_text() -> None:
    caller = side()
    add(caller, "audio")
    caller.wants_data = True
    assert caller.create_offer() == caller.create_offer()


def test_the_version_rises_when_the_offer_changes() -> None:
    caller = side()
    first = offer_of(caller).session.origin
    add(caller, "audio")
    second = offer_of(caller).session.origin
    assert second.session_id == first.session_id
    assert second.session_version == first.session_version + 1


def test_sections_stand_in_the_order_in_which_transceivers_were_added_and_data_comes_last() -> None:
    caller = side()
    caller.wants_data = True
    add(caller, "video")
    add(caller, "audio")
    assert [media.kind for media in offer_of(caller).media] == ["video", "audio", "application"]


def test_a_section_of_data_channels_is_as_rfc_8841_has_it() -> None:
    caller = side(max_message_bytes=1 << 20)
    caller.wants_data = True
    (data,) = offer_of(caller).media
    assert (data.protocol, data.formats, data.sctp_port) == ("UDP/DTLS/SCTP", ("webrtc-datachannel",), 5000)
    assert data.max_message_size == 1 << 20


def test_everything_that_a_transport_needs_is_said() -> None:
    caller = side()
    add(caller, "audio")
    offer = offer_of(caller)
    (audio,) = offer.media
    assert offer.ice_of(audio) is not None
    assert offer.fingerprints_of(audio) == caller.settings.fingerprints
    assert audio.setup == "actpass"
    assert audio.is_rtcp_mux
    assert audio.is_rtcp_mux_only
    assert audio.is_rtcp_reduced_size
    assert "trickle" in offer.ice_options_of(audio)
    assert len(audio.get("tls-id") or "") >= 20


def test_who_sends_says_in_which_streams() -> None:
    caller = side()
    add_track(caller, "audio", "one", "two")
    add(caller, "video", "recvonly", stream_ids=("three",))
    audio, video = offer_of(caller).media
    assert [msid.stream for msid in audio.msids] == ["one", "two"]
    assert not video.msids
    assert {source.ssrc for source in audio.sources} == {caller.transceivers[0].ssrcs[0]}  # type: ignore[index]


def test_a_track_in_no_stream_says_so() -> None:
    caller = side()
    add_track(caller, "audio")
    assert [msid.stream for msid in offer_of(caller).media[0].msids] == ["-"]


def test_several_encodings_are_named() -> None:
    caller = side()
    add(caller, "video", encodings=[{"rid": "q"}, {"rid": "h"}, {"rid": "f"}])
    (video,) = offer_of(caller).media
    assert [(rid.id, rid.direction) for rid in video.rids] == [("q", "send"), ("h", "send"), ("f", "send")]
    assert str(video.simulcast) == "send q;h;f"
    assert not video.sources


def test_balanced_gives_each_kind_a_transport() -> None:
    caller = side()
    for kind in ("audio", "audio", "video", "video"):
        add(caller, kind)
    caller.wants_data = True
    offer = offer_of(caller)
    assert [media.is_bundle_only for media in offer.media] == [False, True, False, True, False]
    assert [media.port for media in offer.media] == [9, 0, 9, 0, 9]
    assert len({media.ice_ufrag for media in offer.media}) == 3
    assert offer.bundle == ("0", "1", "2", "3", "4")


def test_max_compat_gives_each_section_a_transport() -> None:
    caller = side(bundle_policy="max-compat")
    for kind in ("audio", "audio", "video"):
        add(caller, kind)
    offer = offer_of(caller)
    assert not any(media.is_bundle_only for media in offer.media)
    assert len({media.ice_ufrag for media in offer.media}) == 3


def test_max_bundle_has_one_transport() -> None:
    caller = side(bundle_policy="max-bundle")
    for kind in ("audio", "video"):
        add(caller, kind)
    caller.wants_data = True
    offer = offer_of(caller)
    assert [media.is_bundle_only for media in offer.media] == [False, True, True]
    assert len({media.ice_ufrag for media in offer.media}) == 1


def test_the_group_begins_with_the_first_transceiver() -> None:
    caller, callee = side(1), side(2)
    caller.wants_data = True
    caller.set_local("offer")
    caller.set_local("rollback")
    add(caller, "video")
    assert offer_of(caller).bundle[0] == offer_of(caller).media[0].mid
    negotiate(caller, callee)
    assert caller.layout.of(0) is caller.layout.of(1)


def test_codecs_keep_the_order_of_preference_and_nothing_else_is_offered() -> None:
    caller = side()
    vp9 = next(row.codec for row in CODECS["video"] if row.codec.name == "VP9")
    vp8 = next(row.codec for row in CODECS["video"] if row.codec.name == "VP8")
    transceiver = add(caller, "video", preferred_codecs=(vp9, vp8))
    assert names(offer_of(caller).media[0]) == ["VP9", "VP8"]
    transceiver.preferred_codecs = (vp9, vp8, RTX)
    assert names(offer_of(caller).media[0]) == ["VP9", "rtx", "VP8", "rtx"]


def test_redundancy_without_what_it_repeats_is_left_out() -> None:
    caller = side()
    red = next(row.codec for row in CODECS["audio"] if row.codec.name == "red")
    pcmu = next(row.codec for row in CODECS["audio"] if row.codec.name == "PCMU")
    add(caller, "audio", preferred_codecs=(red, pcmu))
    assert names(offer_of(caller).media[0]) == ["PCMU"]


def test_every_repair_names_a_codec_of_its_section() -> None:
    caller = side()
    add(caller, "audio")
    add(caller, "video")
    for media in offer_of(caller).media:
        numbers = {codec.payload_type for codec in media.codecs}
        assert len(numbers) == len(media.codecs)
        for codec in media.codecs:
            assert codec.key != "rtx" or codec.repairs in numbers


def test_a_payload_type_means_the_same_in_all_sections_of_a_group() -> None:
    caller, callee = side(1), side(2)
    add(callee, "video")
    # The other side has numbers of its own, which are ours from then on.
    offer = callee.create_offer().replace("96 97", "120 97").replace(":96 ", ":120 ").replace("apt=96", "apt=120")
    offer = offer.replace(" 98 99\r\n", " 96 99\r\n").replace(":98 ", ":96 ").replace("apt=98", "apt=96")
    caller.set_remote("offer", offer)
    caller.set_local("answer")
    add(caller, "video")
    add(caller, "audio")
    meaning: dict[int, str] = {}
    for media in offer_of(caller).media:
        for codec in media.codecs:
            assert meaning.setdefault(codec.payload_type, f"{media.kind}/{codec} {codec.fmtp}") == (
                f"{media.kind}/{codec} {codec.fmtp}"
            )
    assert meaning[120].startswith("video/VP8")


def test_a_header_extension_keeps_its_id() -> None:
    caller, callee = side(1), side(2)
    add(callee, "audio")
    offer = callee.create_offer().replace("a=extmap:1 ", "a=extmap:9 ")
    caller.set_remote("offer", offer)
    caller.set_local("answer")
    add(caller, "audio")
    first, second = offer_of(caller).media
    assert {one.uri: one.id for one in first.header_extensions} == {one.uri: one.id for one in second.header_extensions}
    assert 9 in {one.id for one in first.header_extensions}


def test_offers_are_for_those_who_have_none_to_answer() -> None:
    caller, callee = side(1), side(2)
    callee.set_remote("offer", caller.create_offer())
    with pytest.raises(InvalidStateError):
        callee.create_offer()


def test_an_edited_offer_is_refused() -> None:
    caller = side()
    add(caller, "audio")
    offer = caller.create_offer()
    with pytest.raises(InvalidModificationError):
        caller.set_local("offer", offer.replace("opus", "Opus"))
    assert caller.signaling_state == "stable"
    caller.set_local("offer", offer)
    assert str(caller.pending_local.description) == offer  # type: ignore[union-attr]
    assert parse(offer).media[0].mid == "0"
