"""Edits: what changes, what stays, and that the one before is left alone."""

from __future__ import annotations

import pytest

from peerline.sdp import (
    Bandwidth,
    Description,
    Line,
    parse,
    prefer_codecs,
    remove_codec,
    set_bandwidth,
    set_direction,
    set_session_bandwidth,
    strip_candidates,
)
from sdp.captures import CAPTURES, SMALL, capture


def lines(description: Description, index: int) -> list[str]:
    return [str(line) for line in description.media[index].lines]


def test_a_limit_goes_after_m_past_i_and_c() -> None:
    before = parse(SMALL)
    after = set_bandwidth(set_bandwidth(before, "audio", 32_000), "video", 500_000)
    assert lines(after, 0)[:4] == ["m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "c=IN IP4 0.0.0.0", "b=AS:32", "a=mid:0"]
    assert lines(after, 1)[1:5] == ["i=a picture", "c=IN IP4 0.0.0.0", "b=AS:500", "a=mid:1"]
    assert str(before) == SMALL
    assert parse(str(after)) == after


def test_a_limit_replaces_others_wherever_they_stand_and_leaves_the_share_of_rtcp() -> None:
    text = SMALL.replace("i=a picture\r\n", "b=TIAS:9\r\ni=a picture\r\n") + "b=AS:7\r\nb=RS:100\r\n"
    after = set_bandwidth(parse(text), "video", 500_000, type="TIAS")
    assert [line for line in lines(after, 1) if line.startswith("b=")] == ["b=TIAS:500000", "b=RS:100"]
    assert lines(after, 1)[3] == "b=TIAS:500000"
    assert [str(one) for one in set_bandwidth(after, "video", None).media[1].bandwidths] == ["RS:100"]


def test_a_limit_of_the_session_goes_between_its_name_and_its_times() -> None:
    after = set_session_bandwidth(parse(SMALL), 600_000)
    assert [str(line) for line in after.session.lines] == [
        "v=0", "o=- 7 2 IN IP4 127.0.0.1", "s=-", "b=CT:600", "t=0 0",
    ]  # fmt: skip
    assert str(set_session_bandwidth(after, None)) == SMALL


@pytest.mark.parametrize(
    ("kind", "bps", "line"), [("AS", 500_000, "AS:500"), ("TIAS", 500_001, "TIAS:500001"), ("CT", 999, "CT:1")]
)
def test_each_type_has_its_unit(kind: str, bps: int, line: str) -> None:
    made = Bandwidth.of(kind, bps)  # type: ignore[arg-type]
    assert str(made) == line
    assert Bandwidth.parse(line) == made


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_limits_come_off_a_real_description_without_a_trace(path: object) -> None:
    from pathlib import Path

    assert isinstance(path, Path)
    before = parse(path.read_bytes())
    after = before
    for kind in ("audio", "video", "application"):
        after = set_bandwidth(after, kind, 64_000)
    assert all("b=AS:64" in lines(after, index) for index in range(len(after.media)))
    assert parse(str(after)) == after
    for kind in ("audio", "video", "application"):
        after = set_bandwidth(after, kind, None)
    assert after == before


def test_a_limit_in_a_description_with_lf_alone_ends_with_lf() -> None:
    text = SMALL.replace("\r\n", "\n").removesuffix("\n")
    after = str(set_bandwidth(parse(text), "video", 500_000))
    assert "\r" not in after
    assert str(parse(after).media[1].lines[3]) == "b=AS:500"


def test_a_line_after_the_last_gives_that_one_an_end() -> None:
    text = SMALL.removesuffix("\r\n")
    after = str(set_direction(parse(text), "audio", "inactive"))
    assert after == SMALL.removesuffix("\r\n").replace("opus/48000/2\r\n", "opus/48000/2\r\na=inactive\r\n")
    unended = parse(text.partition("m=video")[0].removesuffix("\r\n"))
    assert str(set_direction(unended, "audio", "sendonly")).endswith("opus/48000/2\r\na=sendonly\r\n")


def test_a_preferred_codec_comes_first_with_its_repair_codec() -> None:
    after = prefer_codecs(capture("chromium/audio-video-data-offer"), "video", ["av1", "VP9"])
    names = [str(codec.fmtp.get("apt") or codec.name) for codec in after.media[1].codecs]
    assert names[0] == "AV1"
    assert names[1] == str(after.media[1].codecs[0].payload_type)
    assert [codec.name for codec in after.media[1].codecs if codec.name != "rtx"][:3] == ["AV1", "VP9", "VP9"]
    assert sorted(after.media[1].formats) == sorted(capture("chromium/audio-video-data-offer").media[1].formats)


def test_a_codec_is_removed_with_everything_that_speaks_of_it() -> None:
    after = remove_codec(parse(SMALL), "video", "vp8")
    assert lines(after, 1) == [
        "m=video 9 UDP/TLS/RTP/SAVPF 98", "i=a picture", "c=IN IP4 0.0.0.0", "a=mid:1", "a=sendrecv",
        "a=rtpmap:98 VP9/90000", "a=fmtp:98 profile-id=0",
    ]  # fmt: skip


def test_the_last_codec_is_not_removed() -> None:
    once = remove_codec(parse(SMALL), "video", "VP8")
    assert remove_codec(once, "video", "VP9") == once


def test_a_direction_is_replaced_in_its_place() -> None:
    after = set_direction(parse(SMALL), "video", "recvonly")
    assert str(after) == SMALL.replace("a=sendrecv", "a=recvonly")
    assert after.direction_of(after.media[1]) == "recvonly"


def test_stripping_all_candidates_takes_the_promise_that_none_will_come_along() -> None:
    before = capture("firefox/data-offer")
    after = strip_candidates(before)
    assert after.media[0].candidates == ()
    assert not after.media[0].has_all_candidates
    kept = strip_candidates(before, lambda candidate: candidate.protocol == "udp")
    assert {candidate.protocol for candidate in kept.media[0].candidates} == {"udp"}
    assert kept.media[0].has_all_candidates


def test_an_attribute_is_set_in_the_place_of_the_first_of_its_name() -> None:
    section = parse(SMALL).media[1].with_attribute("mid", "9").with_attribute("rtcp-mux")
    assert str(section.lines[3]) == "a=mid:9"
    assert section.lines[-1] == Line.attribute("rtcp-mux")
    assert section.is_rtcp_mux
