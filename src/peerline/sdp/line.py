"""One line of a description: a letter, `=`, a value (RFC 8866, section 5). It keeps its own ending."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from peerline.sdp.attributes import ATTRIBUTES, TYPES
from peerline.sdp.errors import SdpError

__all__ = ["Line"]


@dataclass(frozen=True)
class Line:
    """`number` is where it stood in the text it was read from, from 1; None for a line that was made."""

    type: str
    value: str
    end: str = "\r\n"
    number: int | None = field(default=None, compare=False)

    @classmethod
    def attribute(cls, name: str, content: object = None, *, end: str = "\r\n") -> Line:
        """`a=name:content`, or `a=name` where the content is None."""
        return cls("a", name if content is None else f"{name}:{content}", end)

    @cached_property
    def name(self) -> str | None:
        """The name of an attribute, None for other lines."""
        return self.value.partition(":")[0] if self.type == "a" else None

    @property
    def content(self) -> str | None:
        """What follows an attribute's colon; None for a flag, and the whole value of other lines."""
        if self.type != "a":
            return self.value
        _, colon, content = self.value.partition(":")
        return content if colon else None

    @cached_property
    def parsed(self) -> Any:
        """The value as an object, None for what is not understood. Raises SdpError with line and offset."""
        read = TYPES.get(self.type) if self.name is None else ATTRIBUTES.get(self.name)
        if read is None:
            return None
        try:
            if self.content is None:
                raise SdpError(f"a={self.name} has no value", rfc="RFC 8866, section 5.13", hint=f"a={self.name}:VALUE")
            return read(self.content)
        except SdpError as error:
            raise error.at(self.number, 2 if self.name is None else len(self.name) + 3) from None

    def __str__(self) -> str:
        """The line without its ending."""
        return f"{self.type}={self.value}"
