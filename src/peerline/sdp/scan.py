"""Words and numbers of a line, each with its place, so that an error can point at it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from peerline.sdp.errors import SdpError

__all__ = ["Words", "number"]

_WORD = re.compile(r"[^ ]+")
_NUMBER = re.compile(r"[0-9]{1,20}")


class Words:
    """The words of a value, taken one after the other."""

    def __init__(self, value: str, rfc: str, form: str) -> None:
        self.value = value
        self.rfc = rfc
        self.form = form
        self.offset = 0
        self._words: Iterator[re.Match[str]] = _WORD.finditer(value)

    def next(self, what: str) -> str:
        """The next word. Raises SdpError if there is none."""
        word = self.next_or_none()
        if word is None:
            raise self.error(f"{what} is missing", offset=len(self.value))
        return word

    def next_or_none(self) -> str | None:
        """The next word, or None at the end."""
        match = next(self._words, None)
        if match is None:
            return None
        self.offset = match.start()
        return match.group()

    def number(self, what: str, most: int, least: int = 0) -> int:
        """The next word as a number. Raises SdpError."""
        word = self.next(what)
        return number(word, what, most, least=least, rfc=self.rfc, form=self.form, offset=self.offset)

    def rest(self) -> list[str]:
        """All words that are left."""
        return [match.group() for match in self._words]

    def end(self) -> None:
        """Raises SdpError if there is another word."""
        word = self.next_or_none()
        if word is not None:
            raise self.error(f"{shown(word)} is one word too many")

    def error(self, reason: str, *, offset: int | None = None) -> SdpError:
        """A fault at the word taken last."""
        return SdpError(
            reason, rfc=self.rfc, hint=f"The form is {self.form}", offset=self.offset if offset is None else offset
        )


def number(word: str, what: str, most: int, *, rfc: str, form: str, least: int = 0, offset: int = 0) -> int:
    """A whole number from `least` to `most`, in ASCII digits. Raises SdpError."""
    if _NUMBER.fullmatch(word) is None or not least <= int(word) <= most:
        raise SdpError(
            f"{what} is {shown(word)}, not a number from {least} to {most}",
            rfc=rfc, hint=f"The form is {form}", offset=offset,
        )  # fmt: skip
    return int(word)


def shown(word: str) -> str:
    """A piece of somebody else's text, short enough and harmless in a message."""
    return ascii(word if len(word) <= 40 else word[:39] + "…")
