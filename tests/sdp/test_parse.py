"""Text to Description and back, byte for byte; what is wrong is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peerline.errors import RemoteProtocolError
from peerline.sdp import Candidate, Description, SdpError, parse, serialise
from peerline.sdp.parse import MAX_CHARS, MAX_LINE_CHARS, MAX_LINES
from sdp.captures import CAPTURES, FOLDER, SMALL

HEAD = "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def test_there_are_captures_of_all_four_implementations() -> None:
    assert {path.parent.name for path in CAPTURES} == {"aiortc", "chromium", "firefox", "pion"}


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_real_description_comes_back_byte_for_byte(path: Path) -> None:
    assert serialise(parse(path.read_bytes())).encode() == path.read_bytes()


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_value_that_is_understood_writes_itself_again(path: Path) -> None:
    description = parse(path.read_bytes())
    for section in (description.session, *description.media):
        for line in section.lines:
            if line.name == "candidate":
                assert line.parsed.value == line.content
            elif line.name not in ("fmtp", "ice-options") and line.type != "t" and line.parsed is not None:
                assert str(line.parsed) == (line.content or "").strip()


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("\r\n", "\n"),
        SMALL.removesuffix("\r\n"),
        SMALL + "\r\n\r\n",
        SMALL + "\n",
        SMALL.replace("\r\n", "\n", 3),
        SMALL.replace("t=0 0", "t=0 0\r\nx=what is this\r\na=never-heard: of  it "),
        SMALL.replace("s=-", "s="),
        # b= before c=, as many tools write it.
        SMALL.replace("c=IN IP4 0.0.0.0\r\na=mid:0", "b=AS:64\r\nc=IN IP4 0.0.0.0\r\na=mid:0"),
        HEAD,
    ],
    ids=[
        "LF",
        "no end",
        "blank lines at the end",
        "blank LF",
        "mixed",
        "unknown",
        "empty name",
        "b before c",
        "no media",
    ],
)
def test_what_is_unusual_but_readable_is_kept_as_it_is(text: str) -> None:
    assert str(parse(text)) == text
    assert str(parse(text.encode())) == text


@pytest.mark.parametrize(
    ("text", "line", "offset", "rfc", "says"),
    [
        ("", 1, 0, "RFC 8866", "nothing"),
        ("hello\r\n", 1, 0, "RFC 8866", "no line of SDP"),
        ("v=1\r\n", 1, 2, "RFC 8866", "version"),
        ("v=0\r\n", 2, 0, "RFC 8866", "no o= line"),
        ("v=0\r\ns=-\r\n", 2, 0, "RFC 8866", "o= belongs"),
        (HEAD.replace("t=0 0\r\n", ""), 4, 0, "RFC 8866", "no t= line"),
        (HEAD.replace("127.0.0.1", ""), 2, 15, "RFC 8866", "the address is missing"),
        (HEAD.replace("t=0 0", "t=0 x"), 4, 4, "RFC 8866", "'x'"),
        (HEAD + "s=again\r\n", 5, 0, "RFC 8866", "s= after t="),
        (HEAD + "\r\nm=audio 9 RTP/AVP 0\r\n", 5, 0, "RFC 8866", "no line of SDP"),
        (HEAD + "a=\r\n", 5, 2, "RFC 8866", "without a name"),
        (HEAD + "a=x\0y\r\n", 5, 3, "RFC 8866", "zero byte"),
        (HEAD + "a=x\ry\r\n", 5, 3, "RFC 8866", "carriage return"),
        (HEAD + "m=audio nine RTP/AVP 0\r\n", 5, 8, "RFC 8866", "'nine'"),
        (HEAD + "m=audio 65536 RTP/AVP 0\r\n", 5, 8, "RFC 8866", "65535"),
        (HEAD + "m=audio 9 RTP/AVP\r\n", 5, 17, "RFC 8866", "format is missing"),
        (HEAD + "m=audio 9 RTP/AVP opus\r\n", 5, 18, "RFC 8866", "payload type"),
        (HEAD + "m=audio 9 RTP/AVP 0\r\nt=0 0\r\n", 6, 0, "RFC 8866", "media section"),
        (HEAD + "m=audio 9 RTP/AVP 0\r\na=mid:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:x\r\n", 8, 6, "RFC 5888", "twice"),
        (HEAD + "b=AS:1\r\n", 5, 0, "RFC 8866", "b= after t="),
        (HEAD.replace("t=", "b=AS:many\r\nt="), 4, 5, "RFC 8866", "'many'"),
        (HEAD + "a=mid\r\n", 5, 6, "RFC 8866", "no value"),
        (HEAD + "a=setup:maybe\r\n", 5, 8, "RFC 4145", "'maybe'"),
        (HEAD + "a=fingerprint:sha-256 AB:CD\r\n", 5, 22, "RFC 8122", "32 bytes"),
        (HEAD + "a=fingerprint:sha-256 xyz\r\n", 5, 22, "RFC 8122", "hex"),
        (HEAD + "a=ice-ufrag:abc\r\n", 5, 12, "RFC 8839", "user fragment"),
        (HEAD + "a=ice-pwd:tooshort\r\n", 5, 10, "RFC 8839", "password"),
        (HEAD + "a=candidate:1 1 udp 1 192.0.2.1 9 host\r\n", 5, 34, "RFC 8839", "typ"),
        (HEAD + "a=candidate:1 1 udp 1 192.0.2.1 99999 typ host\r\n", 5, 32, "RFC 8839", "port"),
        (HEAD + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host tcptype\r\n", 5, 50, "RFC 8839", "tcptype"),
        (HEAD + "a=rtpmap:111 opus\r\n", 5, 13, "RFC 8866", "NAME/CLOCK-RATE"),
        (HEAD + "a=rtpmap:111 opus/0\r\n", 5, 18, "RFC 8866", "clock rate"),
        (HEAD + "a=rtpmap:111 opus/48000/many\r\n", 5, 24, "RFC 8866", "channels"),
        (HEAD + "a=rtcp-fb:x nack\r\n", 5, 10, "RFC 4585", "payload type"),
        (HEAD + "a=extmap:0 urn:x\r\n", 5, 9, "RFC 8285", "id"),
        (HEAD + "a=extmap:1/sideways urn:x\r\n", 5, 9, "RFC 8285", "direction"),
        (HEAD + "a=ssrc:4294967296 cname:x\r\n", 5, 7, "RFC 5576", "SSRC"),
        (HEAD + "a=rid:ä send\r\n", 5, 6, "RFC 8851", "id"),
        (HEAD + "a=rid:q give\r\n", 5, 8, "RFC 8851", "direction"),
        (HEAD + "a=simulcast:q;h\r\n", 5, 12, "RFC 8853", "send or recv"),
        (HEAD + "a=simulcast:send q;;f\r\n", 5, 17, "RFC 8853", "no id"),
        (HEAD + "a=sctp-port:70000\r\n", 5, 12, "RFC 8841", "65535"),
        (HEAD + "a=max-message-size:٣\r\n", 5, 19, "RFC 8841", "size"),
        (HEAD + f"a={'x' * MAX_LINE_CHARS}\r\n", 5, MAX_LINE_CHARS, "RFC 8866", "characters"),
        (HEAD + "a=x\r\n" * MAX_LINES, MAX_LINES + 1, 0, "RFC 8866", "more than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_offset_rfc_and_hint(
    text: str, line: int, offset: int, rfc: str, says: str
) -> None:
    with pytest.raises(SdpError) as caught:
        parse(text)
    error = caught.value
    assert (error.line, error.offset) == (line, offset)
    assert error.rfc.startswith(rfc)
    assert says in error.message
    assert f"line {line}" in error.message
    assert error.hint
    assert error.code == "sdp"


def test_a_text_without_end_is_not_read() -> None:
    with pytest.raises(SdpError, match="characters"):
        parse(HEAD + "a=x\r\n" * MAX_CHARS)


def test_a_codec_is_read_once_however_often_its_number_comes() -> None:
    formats, feedback = " ".join(["0"] * 4000), "a=rtcp-fb:* nack\r\n" * 500
    codecs = parse(f"{HEAD}m=audio 9 RTP/AVP {formats}\r\n{feedback}").media[0].codecs
    assert len(codecs) == 4000
    assert len({id(codec) for codec in codecs}) == 1


def test_bytes_that_are_no_utf8_are_refused_at_their_place() -> None:
    with pytest.raises(SdpError) as caught:
        parse(HEAD.encode() + b"a=x:\xff\r\n")
    assert (caught.value.line, caught.value.offset) == (5, 4)


def test_half_a_character_is_refused_at_its_place() -> None:
    with pytest.raises(SdpError) as caught:
        parse(HEAD + "a=x:é\ud800\r\n")
    assert (caught.value.line, caught.value.offset) == (5, 5)


def test_a_candidate_that_would_not_stay_one_line_is_refused() -> None:
    good = "candidate:1 1 udp 1 192.0.2.1 9 typ host generation 0"
    assert str(Candidate.parse(good)) == good
    for letter in ("\r\n", "\n", "\r", "\0", "\ud800"):
        with pytest.raises(SdpError) as caught:
            Candidate.parse(f"{good}{letter}a=ice-lite:x")
        assert caught.value.offset == len(good)


def test_an_ice_password_that_is_wrong_is_not_told_on() -> None:
    with pytest.raises(SdpError) as caught:
        parse(HEAD + "a=ice-pwd:my secret word that has blanks\r\n")
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


@given(st.one_of(st.text(), st.binary()))
def test_anything_at_all_is_read_or_refused(text: str | bytes) -> None:
    try:
        description = parse(text)
    except RemoteProtocolError:
        return
    assert str(description) == (text if isinstance(text, str) else text.decode())


LINES = SMALL.splitlines(keepends=True) + [
    line for path in CAPTURES for line in path.read_bytes().decode().splitlines(keepends=True)
]
TOKENS = st.one_of(
    st.sampled_from(
        ["", " ", ":", "/", ";", "=", "~", ",", "-1", "0", "99999999999999999999", "²", "\0", "\r", "é", "*"]
    ),
    st.text(max_size=4),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A description out of real lines, some of which were hit."""
    lines = [*draw(st.sampled_from([SMALL, HEAD])).splitlines(keepends=True)]
    lines += draw(st.lists(st.sampled_from(LINES), max_size=8))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(len(line), start + 6)))
        lines[at] = line[:start] + draw(TOKENS) + line[end:]
    return "".join(lines)


def outcome(text: str) -> Description | SdpError:
    try:
        return parse(text)
    except SdpError as error:
        return error


@given(damaged())
def test_a_damaged_description_is_read_back_as_it_is_or_refused_and_its_views_never_fail(text: str) -> None:
    found = outcome(text)
    if isinstance(found, SdpError):
        assert found.line is not None
        assert found.hint
        return
    description = found
    assert str(description) == text
    for section in (description.session, *description.media):
        for name in dir(type(section)):
            if not name.startswith("_"):
                getattr(section, name)
    for media in description.media:
        assert description.direction_of(media)
        description.ice_of(media), description.setup_of(media), description.fingerprints_of(media)
