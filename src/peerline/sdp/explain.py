"""What each line of a description means, for people: explanations.json, which the page's inspector reads too."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal, cast

__all__ = ["Explanation", "Language", "explain"]

Language = Literal["en", "zh"]

_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_PLACE = re.compile(r"\{(\w+)(?:\|(each:)?([\w-]+))?\}")
_RTPMAP = re.compile(r"a=rtpmap:([0-9]+) ([^/ ]+)/")
_UNKNOWN = frozenset({"unknown-attribute", "unknown-line", "no-line"})


@dataclass(frozen=True)
class Explanation:
    """`row` is the name of the row of explanations.json that fits, `rfc` where it is written, `words` what it means."""

    line: str
    row: str
    rfc: str
    words: str

    @property
    def is_known(self) -> bool:
        """Whether anything is known about such a line."""
        return self.row not in _UNKNOWN


@dataclass(frozen=True)
class _Row:
    id: str
    pattern: re.Pattern[str]
    rfc: str
    texts: dict[str, str]


def explain(lines: Sequence[str], language: Language = "en") -> list[Explanation]:
    """One explanation for each line, whatever it is. Never fails."""
    found: list[Explanation] = []
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    edges = sorted({0, *starts, len(lines)})
    for start, end in pairwise(edges):
        section = lines[start:end]
        # Firefox writes parameters of a codec before it says which codec that is.
        codecs = _table().static | {match[1]: match[2] for match in map(_RTPMAP.match, section) if match}
        found += [_explained(line, codecs, language) for line in section]
    return found


@dataclass(frozen=True)
class _Table:
    rows: tuple[_Row, ...]
    words: dict[str, dict[str, dict[str, str]]]
    static: dict[str, str]
    joint: dict[str, str]


@cache
def _table() -> _Table:
    data = cast("dict[str, Any]", json.loads(files(__package__).joinpath("explanations.json").read_text("utf-8")))
    rows = tuple(
        # The patterns are written as JavaScript has them.
        _Row(row["id"], re.compile(row["line"].replace("(?<", "(?P<"), re.DOTALL), row["rfc"], row)
        for row in data["lines"]
    )
    return _Table(rows, data["words"], data["static"], data["joint"])


def _explained(line: str, codecs: dict[str, str], language: Language) -> Explanation:
    for row in _table().rows:
        match = row.pattern.fullmatch(line)
        if match is not None:
            groups = {name: value or "" for name, value in match.groupdict().items()}
            return Explanation(line, row.id, row.rfc, _filled(row.texts[language], groups, codecs, language))
    raise AssertionError("the last row fits everything")


def _filled(text: str, groups: dict[str, str], codecs: dict[str, str], language: Language) -> str:
    def optional(match: re.Match[str]) -> str:
        return match[1] if all(groups.get(place[1]) for place in _PLACE.finditer(match[1])) else ""

    def value(match: re.Match[str]) -> str:
        group, each, table = match.groups()
        raw = groups.get(group, "")
        if table is None:
            return raw
        if table == "codec" and group != "codec":
            return _codec(raw, codecs)
        if table == "codecs":
            return ", ".join(_codec(one, codecs) for one in raw.split(" ") if one)
        if each:
            pieces = [piece for piece in re.split("[; ]+", raw) if piece]
            return _table().joint[language].join(_piece(piece, table, language) for piece in pieces)
        return _word(raw, table, language)

    return _PLACE.sub(value, _OPTIONAL.sub(optional, text))


def _codec(payload_type: str, codecs: dict[str, str]) -> str:
    return f"{codecs[payload_type]} ({payload_type})" if payload_type in codecs else payload_type


def _piece(piece: str, table: str, language: Language) -> str:
    name, _, value = piece.partition("=")
    word = _table().words[table].get(name.lower())
    return piece if word is None else word[language].replace("{}", value)


def _word(value: str, table: str, language: Language) -> str:
    words = _table().words[table]
    word = words.get(value.lower()) or words.get("*")
    return value if word is None else word[language].replace("{}", value)
