"""Text to Description (RFC 8866, section 5 and 9; how strict: RFC 9429, section 5.8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from peerline.sdp.description import Description, SessionSection
from peerline.sdp.errors import SdpError
from peerline.sdp.line import Line
from peerline.sdp.media import MediaSection
from peerline.sdp.scan import shown

__all__ = ["MAX_CHARS", "MAX_LINES", "MAX_LINE_CHARS", "parse"]

# Sixteen media sections of a browser have 1,250 lines of at most 150 characters.
MAX_CHARS = 4 * 1024 * 1024
MAX_LINES = 50_000
MAX_LINE_CHARS = 16_384

_RFC = "RFC 8866, section 5"
# The order of the session's lines. Those with the same number may mix; s (a single one) may not come twice.
_ORDER = {
    "v": 0,
    "o": 1,
    "s": 2,
    "i": 3,
    "u": 4,
    "e": 5,
    "p": 6,
    "c": 7,
    "b": 8,
    "t": 9,
    "r": 9,
    "z": 9,
    "k": 10,
    "a": 11,
}
_SINGLE = frozenset("vosiuck")
_IN_MEDIA = frozenset("micbka")
_HALF = re.compile("[\ud800-\udfff]")
_MEANING = {"v": "v=0", "o": "o=- 1 1 IN IP4 127.0.0.1", "s": "s=-", "t": "t=0 0"}


def parse(text: str | bytes) -> Description:
    """Read a description. `str()` of it is the text again; all that is understood has been read, so that its views
    never fail. Raises SdpError, and nothing else, whatever the text."""
    lines, tail = _lines(_decoded(text))
    first_m = next((index for index, line in enumerate(lines) if line.type == "m"), len(lines))
    session = _session(lines[:first_m])
    media = tuple(_sections(lines[first_m:]))
    return Description(session, media, tail)


def _decoded(text: str | bytes) -> str:
    if len(text) > MAX_CHARS:
        reason = f"more than {MAX_CHARS} characters"
        raise SdpError(reason, rfc=_RFC, hint="A description has some kilobytes", line=1, offset=MAX_CHARS)
    if isinstance(text, str):
        # Half of a surrogate pair is no character, and cannot be sent.
        half = None if text.isascii() else _HALF.search(text)
        if half is not None:
            raise _no_utf8(text[: half.start()])
        return text
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        # One character for each byte: the place is told in bytes.
        raise _no_utf8(text[: error.start].decode("latin-1")) from None


def _no_utf8(before: str) -> SdpError:
    return SdpError(
        "this is not UTF-8", rfc="RFC 8866, section 4.5", hint="SDP is text in UTF-8",
        line=before.count("\n") + 1, offset=len(before) - before.rfind("\n") - 1,
    )  # fmt: skip


def _lines(text: str) -> tuple[list[Line], str]:
    """The lines, and the blank lines that follow the last one."""
    lines: list[Line] = []
    place, size = 0, len(text)
    while place < size:
        if text[place] in "\r\n" and not text[place:].strip("\r\n"):
            break
        number = len(lines) + 1
        stop = text.find("\n", place)
        row, end, after = (text[place:], "", size) if stop < 0 else (text[place:stop], "\n", stop + 1)
        if end and row.endswith("\r"):
            row, end = row[:-1], "\r\n"
        if "\r" in row:
            raise SdpError(
                "a carriage return without a line feed", rfc=_RFC, hint="Lines end with CR LF",
                line=number, offset=row.index("\r"),
            )  # fmt: skip
        if number > MAX_LINES:
            raise SdpError(f"more than {MAX_LINES} lines", rfc=_RFC, hint="Nothing sends that much", line=number)
        lines.append(_line(row, end, number))
        place = after
    if not lines:
        raise SdpError("there is nothing in it", rfc=_RFC, hint="A description begins with v=0", line=1)
    return lines, text[place:]


def _line(row: str, end: str, number: int) -> Line:
    if len(row) > MAX_LINE_CHARS:
        raise SdpError(
            f"a line of {len(row)} characters", rfc=_RFC, hint=f"At most {MAX_LINE_CHARS} are read",
            line=number, offset=MAX_LINE_CHARS,
        )  # fmt: skip
    nul = row.find("\0")
    if nul >= 0:
        raise SdpError("a zero byte", rfc="RFC 8866, section 9", hint="SDP is text", line=number, offset=nul)
    letter, equals, value = row[:1], row[1:2], row[2:]
    if equals != "=" or not (letter.isascii() and letter.isalpha()):
        hint = "Blank lines stand nowhere but at the end" if not row else "Each line is a letter, = and a value"
        raise SdpError(f"{shown(row)} is no line of SDP", rfc=_RFC, hint=hint, line=number)
    if letter == "a" and not value.partition(":")[0].strip():
        hint = "The form is a=NAME or a=NAME:VALUE"
        raise SdpError("an attribute without a name", rfc="RFC 8866, section 5.13", hint=hint, line=number, offset=2)
    line = Line(letter, value, end, number)
    _ = line.parsed
    return line


def _session(lines: list[Line]) -> SessionSection:
    """Strict about the order, as browsers are: RFC 9429, section 5.8.1."""
    reached = ""
    for wanted, line in zip("vos", lines, strict=False):
        if line.type != wanted:
            raise SdpError(
                f"{shown(str(line))} stands where {wanted}= belongs", rfc=_RFC, hint=_hint(wanted), line=line.number
            )
    if lines and lines[0].value != "0":
        raise SdpError(
            f"version {shown(lines[0].value)}", rfc="RFC 8866, section 5.1", hint="It is v=0", line=1, offset=2
        )
    for line in lines:
        if line.type not in _ORDER:
            continue  # unknown: kept and skipped
        before = _ORDER[line.type] < _ORDER.get(reached, -1)
        if before or (line.type == reached and line.type in _SINGLE):
            hint = "The order is v o s i u e p c b t r z k a; i and u, c and k come once"
            raise SdpError(f"{line.type}= after {reached}=", rfc="RFC 8866, section 9", hint=hint, line=line.number)
        reached = line.type
    for wanted in "vost":
        if not any(line.type == wanted for line in lines):
            raise SdpError(f"no {wanted}= line", rfc=_RFC, hint=_hint(wanted), line=len(lines) + 1)
    return SessionSection(tuple(lines))


def _hint(letter: str) -> str:
    return f"A description begins with v=, o=, s=, and has t=; for example {_MEANING[letter]}"


def _sections(lines: list[Line]) -> Iterator[MediaSection]:
    """Lenient about the order after `m=`: many tools put `b=` before `c=`, and browsers take it."""
    starts = [index for index, line in enumerate(lines) if line.type == "m"]
    mids: set[str] = set()
    for start, end in pairwise([*starts, len(lines)]):
        for line in lines[start:end]:
            if line.type in _ORDER and line.type not in _IN_MEDIA:
                hint = f"{line.type}= belongs before the first m="
                raise SdpError(
                    f"{line.type}= in a media section", rfc="RFC 8866, section 9", hint=hint, line=line.number
                )
        section = MediaSection(tuple(lines[start:end]))
        _ = section.kind, section.codecs
        mid = section.mid
        if mid is not None and mid in mids:
            number = section.attributes("mid")[0].number
            hint = "Each media section has a name of its own"
            raise SdpError(
                f"the mid {shown(mid)} comes twice", rfc="RFC 5888, section 4", hint=hint, line=number, offset=6
            )
        if mid is not None:
            mids.add(mid)
        yield section
