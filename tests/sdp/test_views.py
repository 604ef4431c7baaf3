"""What the typed views say of real descriptions."""

from __future__ import annotations

from peerline.sdp import Candidate, Group, parse
from sdp.captures import SMALL, capture


def test_a_call_of_chromium_has_its_three_sections() -> None:
    offer = capture("chromium/audio-video-data-offer")
    assert [(media.kind, media.mid) for media in offer.media] == [("audio", "0"), ("video", "1"), ("application", "2")]
    assert offer.session.groups == (Group("BUNDLE", ("0", "1", "2")),)
    assert offer.bundle == ("0", "1", "2")
    assert offer.session.origin.address == "127.0.0.1"
    assert offer.session.name == "-"
    assert offer.session.allows_mixed_extensions
    audio, video, data = offer.media
    assert audio.protocol == "UDP/TLS/RTP/SAVPF"
    assert audio.direction == "sendrecv"
    assert audio.is_rtcp_mux
    assert audio.setup == "actpass"
    assert audio.ice_options == ("trickle",)
    ufrag, password = offer.ice_of(audio) or ("", "")
    assert (len(ufrag), len(password)) == (4, 24)
    assert len(audio.fingerprints[0].digest) == 32
    opus = audio.codecs[0]
    assert (opus.name, opus.clock_rate_hz, opus.channels) == ("opus", 48000, 2)
    assert opus.fmtp.get("useinbandfec") == "1"
    assert [str(one) for one in opus.feedback] == [f"{opus.payload_type} transport-cc"]
    assert video.is_rtcp_reduced_size
    assert {codec.name for codec in video.codecs} >= {"VP8", "VP9", "AV1", "H264", "rtx"}
    group = video.source_groups[0]
    assert group.semantics == "FID"
    assert {source.ssrc for source in video.sources} == set(group.ssrcs)
    assert video.msids[0].track is not None
    assert (data.sctp_port, data.max_message_size, data.formats) == (5000, 262144, ("webrtc-datachannel",))
    assert not data.is_rtp


def test_candidates_of_chromium_tell_generation_network_and_tcp_type() -> None:
    candidates = capture("chromium/simulcast-offer").media[0].candidates
    assert {candidate.protocol for candidate in candidates} == {"udp", "tcp"}
    assert {candidate.ip_version for candidate in candidates} == {4, 6}
    assert {candidate.network_id for candidate in candidates} == {1, 2}
    assert all(candidate.generation == 0 for candidate in candidates)
    assert {candidate.tcp_type for candidate in candidates} == {None, "active"}


def test_a_restart_raises_the_generation_and_changes_fragment_and_password() -> None:
    before, after = capture("chromium/audio-video-data-offer"), capture("chromium/ice-restart-offer")
    assert before.ice_of(before.media[0]) != after.ice_of(after.media[0])
    assert {candidate.generation for candidate in after.media[0].candidates} == {1}
    assert after.session.origin.session_version > before.session.origin.session_version


def test_candidates_of_firefox_hide_the_address_behind_a_name() -> None:
    media = capture("firefox/data-offer").media[0]
    assert all(candidate.is_mdns and candidate.ip_version is None for candidate in media.candidates)
    assert {candidate.protocol for candidate in media.candidates} == {"udp", "tcp"}
    assert media.has_all_candidates


def test_what_firefox_says_for_the_session_holds_for_each_section() -> None:
    offer = capture("firefox/audio-video-data-offer")
    for media in offer.media:
        assert media.fingerprints == ()
        assert offer.fingerprints_of(media) == offer.session.fingerprints != ()
        assert offer.ice_options_of(media) == ("trickle",)


def test_simulcast_of_chromium_and_of_firefox_reads_the_same() -> None:
    for name in ("chromium/simulcast-offer", "firefox/simulcast-offer"):
        media = capture(name).media[0]
        assert media.simulcast is not None
        assert [stream.alternatives for stream in media.simulcast.send] == [("q",), ("h",), ("f",)]
        assert [(rid.id, rid.direction) for rid in media.rids] == [("q", "send"), ("h", "send"), ("f", "send")]


def test_simulcast_both_ways_with_choices_and_pauses_is_read_and_written() -> None:
    text = "recv 4;~5,6 send 1,~2;3"
    media = parse(SMALL + f"a=simulcast:{text}\r\na=rid:1 send pt=96,98;max-width=1280\r\n").media[1]
    assert media.simulcast is not None
    assert str(media.simulcast) == text
    assert media.simulcast.send[0].paused == {"2"}
    assert media.simulcast.recv[1].alternatives == ("5", "6")
    assert media.rids[0].restrictions == {"pt": "96,98", "max-width": "1280"}


def test_a_rejected_section_is_told_from_one_that_is_bundle_only() -> None:
    answer = capture("chromium/rejected-by-offerer-answer")
    assert [media.is_rejected for media in answer.media] == [False, True, False]
    bundled = capture("firefox/many-sections-offer").media[2]
    assert (bundled.port, bundled.is_bundle_only, bundled.is_rejected) == (0, True, False)


def test_many_sections_keep_their_order_and_directions() -> None:
    offer = capture("chromium/many-sections-offer")
    assert [media.mid for media in offer.media] == [str(index) for index in range(17)]
    directions = [offer.direction_of(media) for media in offer.media[:16]]
    assert directions == ["sendrecv", "sendonly", "recvonly", "inactive"] * 4
    found = offer.section("16")
    assert found is not None
    assert found.kind == "application"


def test_fingerprints_of_aiortc_come_in_three_hashes() -> None:
    media = capture("aiortc/audio-video-data-offer").media[0]
    assert [one.algorithm for one in media.fingerprints] == ["sha-256", "sha-384", "sha-512"]


def test_header_extensions_have_ids_directions_and_uris() -> None:
    extensions = capture("firefox/audio-video-data-offer").media[0].header_extensions
    assert (2, "recvonly", "urn:ietf:params:rtp-hdrext:csrc-audio-level") in [
        (one.id, one.direction, one.uri) for one in extensions
    ]


def test_a_payload_type_without_rtpmap_means_what_rfc_3551_says() -> None:
    codecs = parse(SMALL).media[0].codecs
    assert [(codec.name, codec.clock_rate_hz) for codec in codecs] == [("opus", 48000), ("PCMU", 8000)]


def test_feedback_for_all_codecs_is_that_of_each() -> None:
    media = parse(SMALL + "a=rtcp-fb:* ccm fir\r\n").media[1]
    assert [[str(one) for one in codec.feedback] for codec in media.codecs] == [
        ["96 nack pli", "* ccm fir"], ["* ccm fir"], ["* ccm fir"],
    ]  # fmt: skip


def test_the_older_form_of_the_sctp_port_is_understood() -> None:
    older = parse(SMALL + "m=application 9 DTLS/SCTP 5000\r\na=sctpmap:5000 webrtc-datachannel 1024\r\n").media[2]
    assert older.sctp_port == 5000
    assert older.max_message_size == 65536


def test_ice_lite_and_identity_stand_in_the_session() -> None:
    session = parse(SMALL.replace("t=0 0", "t=0 0\r\na=ice-lite\r\na=identity:eyJpZHAiOnt9fQ==")).session
    assert session.is_ice_lite
    assert session.identity == "eyJpZHAiOnt9fQ=="


def test_a_candidate_with_everything_is_read_and_written() -> None:
    text = (
        "candidate:842163049 1 tcp 1677729535 203.0.113.7 9 typ srflx raddr 192.0.2.5 rport 40123 "
        "tcptype passive generation 2 ufrag Yb7p network-id 3 network-cost 50 brand new"
    )
    candidate = Candidate.parse(text)
    assert candidate == Candidate.parse(f"a={text}") == Candidate.parse(text.removeprefix("candidate:"))
    assert str(candidate) == text
    assert (candidate.related_address, candidate.related_port) == ("192.0.2.5", 40123)
    assert (candidate.type, candidate.tcp_type, candidate.generation, candidate.ufrag) == (
        "srflx",
        "passive",
        2,
        "Yb7p",
    )
    assert (candidate.network_id, candidate.network_cost, candidate.extension("brand")) == (3, 50, "new")
