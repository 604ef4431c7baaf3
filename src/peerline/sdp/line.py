"""One line of a description: a letter, `=`, a value (RFC 8866, section 5). It keeps its own ending."""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Any

from peerline.sdp.attributes import ATTRIBUTES, TYPES
from peerline.sdp.errors import SdpError

__all__ = ["Line"]

_UNREAD: Any = object()
# What all peers say in the same words is read once. What is secret, or anybody's own, is not kept.
_SHARED = frozenset(
    (
        "c", "b", "t", "group", "mid", "setup", "sctp-port", "max-message-size", "ice-options", "msid-semantic", "rtcp",
        "rtpmap", "fmtp", "rtcp-fb", "extmap", "rid", "simulcast",
    )
)  # fmt: skip
_LONGEST_SHARED = 160


class Line:
    """`number` is where it stood in the text it was read from, from 1; None for a line that was made.

    `name` is that of an attribute, None for other lines. Lines are not changed: another one is made.
    """

    __slots__ = ("_parsed", "end", "name", "number", "type", "value")

    def __init__(self, type: str, value: str, end: str = "\r\n", number: int | None = None) -> None:
        self.type = type
        self.value = value
        self.end = end
        self.number = number
        self.name = intern(value.partition(":")[0]) if type == "a" else None
        self._parsed = _UNREAD

    @classmethod
    def attribute(cls, name: str, content: object = None, *, end: str = "\r\n") -> Line:
        """`a=name:content`, or `a=name` where the content is None."""
        return cls("a", name if content is None else f"{name}:{content}", end)

    @property
    def content(self) -> str | None:
        """What follows an attribute's colon; None for a flag, and the whole value of other lines."""
        if self.type != "a":
            return self.value
        _, colon, content = self.value.partition(":")
        return content if colon else None

    @property
    def parsed(self) -> Any:
        """The value as an object, None for what is not understood. Raises SdpError with line and offset."""
        if self._parsed is _UNREAD:
            self._parsed = self._read()
        return self._parsed

    def with_end(self, end: str) -> Line:
        """The same line with another ending."""
        return Line(self.type, self.value, end, self.number)

    def __str__(self) -> str:
        """The line without its ending."""
        return f"{self.type}={self.value}"

    def __repr__(self) -> str:
        return f"Line({self.type!r}, {self.value!r}, {self.end!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Line):
            return NotImplemented
        return (self.type, self.value, self.end) == (other.type, other.value, other.end)

    def __hash__(self) -> int:
        return hash((self.type, self.value, self.end))

    def _read(self) -> Any:
        name, value = self.name, self.value
        read = TYPES.get(self.type) if name is None else ATTRIBUTES.get(name)
        if read is None:
            return None
        try:
            key = self.type if name is None else name
            if key in _SHARED and len(value) < _LONGEST_SHARED:
                return _read_shared(self.type, value)
            content = self.content
            if content is None:
                raise _no_value(self)
            return read(content)
        except SdpError as error:
            raise error.at(self.number, 2 if name is None else len(name) + 3) from None


@lru_cache(maxsize=2048)
def _read_shared(type: str, value: str) -> Any:
    line = Line(type, value)
    read = TYPES[type] if line.name is None else ATTRIBUTES[line.name]
    content = line.content
    if content is None:
        raise _no_value(line)
    return read(content)


def _no_value(line: Line) -> SdpError:
    return SdpError(f"a={line.name} has no value", rfc="RFC 8866, section 5.13", hint=f"a={line.name}:VALUE")
