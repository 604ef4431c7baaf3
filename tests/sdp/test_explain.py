"""What each line means: in both languages, for every line that browsers write, and the same as on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import peerline.sdp
from peerline.sdp.explain import explain
from sdp.captures import CAPTURES, FOLDER
from sdp.explained import TARGET, examples

DATA: dict[str, Any] = json.loads(Path(peerline.sdp.__file__).with_name("explanations.json").read_text("utf-8"))
PLACE = re.compile(r"\{(\w+)(?:\|(?:each:)?([\w-]+))?\}")


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_line_that_a_browser_writes_is_known(path: Path) -> None:
    lines = path.read_bytes().decode().splitlines()
    explained = explain(lines)
    assert [one.line for one in explained] == lines
    assert [one.line for one in explained if not one.is_known] == []


def test_what_the_page_is_held_to_is_what_is_said_here() -> None:
    """If this fails: PYTHONPATH=tests python tests/sdp/explained.py"""
    assert json.loads(TARGET.read_text("utf-8")) == examples()


@pytest.mark.parametrize("row", DATA["lines"], ids=lambda row: row["id"])
def test_a_row_has_both_languages_an_rfc_and_words_for_what_it_names(row: dict[str, str]) -> None:
    groups = re.compile(row["line"].replace("(?<", "(?P<")).groupindex
    assert re.search("RFC [0-9]+ §|draft-.* §|libwebrtc", row["rfc"])
    for language in ("en", "zh"):
        for group, table in PLACE.findall(row[language]):
            assert group in groups
            assert table in {"", "codecs", *DATA["words"]}
    # One language says nothing that the other leaves out, but for names of hash functions and the like.
    assert set(PLACE.findall(row["en"])) == set(PLACE.findall(row["zh"]))
    assert re.search("[\u4e00-\u9fff]", row["zh"]) or row["zh"].startswith("{")
    assert not re.search("[\u4e00-\u9fff]", row["en"])


def test_every_word_has_both_languages() -> None:
    for table in DATA["words"].values():
        for word in table.values():
            assert set(word) == {"en", "zh"}
            assert ("{}" in word["en"]) == ("{}" in word["zh"])
    assert len({row["id"] for row in DATA["lines"]}) == len(DATA["lines"])


def test_no_row_hides_behind_an_earlier_one() -> None:
    """Each row is reached by the line that its own pattern stands for."""
    samples = {
        "media-zero": "m=audio 0 UDP/TLS/RTP/SAVPF 111", "media": "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "data-rejected": "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "data": "m=application 9 DTLS/SCTP 5000",
        "media-other": "m=image 9 udptl t38", "connection-none": "c=IN IP6 ::", "connection": "c=IN IP4 192.0.2.1",
        "fmtp-events": "a=fmtp:126 0-15,66", "fmtp-red": "a=fmtp:63 111/111", "fmtp": "a=fmtp:96 profile-id=0",
        "max-message-size-any": "a=max-message-size:0", "max-message-size": "a=max-message-size:00",
        "msid-none": "a=msid:- x", "msid": "a=msid:-x y", "ssrc-msid": "a=ssrc:1 mslabel:x", "ssrc": "a=ssrc:1 new",
        "rtcp-fb-all": "a=rtcp-fb:* nack", "bandwidth-as": "b=AS:1", "bandwidth": "b=NEW:1", "time": "t=1 2",
        "time-always": "t=0 0", "group": "a=group:FID 1 2", "candidate": "a=candidate:1 1 sctp 1 192.0.2.1 9 typ host",
    }  # fmt: skip
    for row, line in samples.items():
        assert [one.row for one in explain([line])] == [row]


def test_an_unknown_line_is_said_to_be_unknown() -> None:
    found = explain(["a=brand-new:1", "x=1", "what"])
    assert [one.row for one in found] == ["unknown-attribute", "unknown-line", "no-line"]
    assert not any(one.is_known for one in found)
    assert "brand-new" in found[0].words
    assert "not known" in found[0].words


def test_a_codec_is_called_by_its_name_and_only_in_its_own_section() -> None:
    lines = [
        "m=audio 9 RTP/AVP 96",
        "a=fmtp:96 stereo=1",
        "a=rtpmap:96 opus/48000/2",
        "m=video 9 RTP/AVP 96",
        "a=fmtp:96 x=1",
    ]
    words = [one.words for one in explain(lines)]
    assert "opus (96)" in words[0]
    assert "opus (96)" in words[1]
    assert "opus" not in words[3]
    assert words[4] == "Details of 96: x=1."


def test_parameters_are_explained_one_by_one_and_unknown_ones_stay() -> None:
    (found,) = explain(["a=fmtp:111 minptime=10; brand=new"], "zh")
    assert found.words == "111 的细节：每包声音至少 10 毫秒；brand=new。"


@given(st.lists(st.text()), st.sampled_from(["en", "zh"]))
def test_any_lines_at_all_are_explained_one_for_one(lines: list[str], language: Any) -> None:
    assert [one.line for one in explain(lines, language)] == lines
