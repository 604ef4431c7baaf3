"""One picture in several sizes: `a=rid` and `a=simulcast` (RFC 8851, section 4; RFC 8853, section 5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from peerline.sdp.errors import SdpError
from peerline.sdp.scan import Words, shown

__all__ = ["Rid", "Simulcast", "SimulcastStream"]

_RID = re.compile(r"[A-Za-z0-9_-]{1,255}")


@dataclass(frozen=True)
class Rid:
    """The name of an encoding, which way it goes, and its restrictions (`pt=…`, `max-width=…`)."""

    id: str
    direction: str
    parameters: str = ""

    @classmethod
    def parse(cls, value: str) -> Rid:
        """Read what follows `a=rid:`. Raises SdpError."""
        words = Words(value, "RFC 8851, section 4", "a=rid:ID send|recv [NAME=VALUE;…]")
        id_ = words.next("the id")
        if _RID.fullmatch(id_) is None:
            raise words.error(f"the id is {shown(id_)}")
        direction = words.next("the direction")
        if direction not in ("send", "recv"):
            raise words.error(f"the direction is {shown(direction)}")
        return cls(id_, direction, " ".join(words.rest()))

    @property
    def restrictions(self) -> dict[str, str]:
        """Names and values; a name alone has an empty value."""
        parts = (part.strip().partition("=") for part in self.parameters.split(";"))
        return {name: value for name, _, value in parts if name}

    def __str__(self) -> str:
        return f"{self.id} {self.direction}" + (f" {self.parameters}" if self.parameters else "")


@dataclass(frozen=True)
class SimulcastStream:
    """One of the streams, as a choice of encodings of which the first that is known counts."""

    alternatives: tuple[str, ...]
    paused: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return ",".join(f"~{id_}" if id_ in self.paused else id_ for id_ in self.alternatives)


@dataclass(frozen=True)
class Simulcast:
    """The streams that are sent and those that are received."""

    send: tuple[SimulcastStream, ...] = ()
    recv: tuple[SimulcastStream, ...] = ()
    is_recv_first: bool = False

    @classmethod
    def parse(cls, value: str) -> Simulcast:
        """Read what follows `a=simulcast:`. Raises SdpError."""
        words = Words(value, "RFC 8853, section 5.1", "a=simulcast:send RID[,RID][;…] [recv …]")
        found: dict[str, tuple[SimulcastStream, ...]] = {}
        while (direction := words.next_or_none()) is not None:
            if direction not in ("send", "recv") or direction in found:
                raise words.error(f"{shown(direction)} stands where send or recv belongs")
            streams = words.next("the list of streams")
            found[direction] = tuple(_stream(part, words) for part in streams.split(";"))
        if not found:
            raise words.error("neither send nor recv", offset=0)
        return cls(found.get("send", ()), found.get("recv", ()), next(iter(found)) == "recv" and len(found) == 2)

    def __str__(self) -> str:
        parts = [
            f"{name} {';'.join(map(str, streams))}"
            for name, streams in (("send", self.send), ("recv", self.recv))
            if streams
        ]
        return " ".join(reversed(parts) if self.is_recv_first else parts)


def _stream(text: str, words: Words) -> SimulcastStream:
    ids = text.split(",")
    names = tuple(id_.removeprefix("~") for id_ in ids)
    for name in names:
        if _RID.fullmatch(name) is None:
            raise words.error(f"{shown(name)} is no id of an encoding")
    return SimulcastStream(names, frozenset(id_[1:] for id_ in ids if id_.startswith("~")))


def parse_mid(value: str) -> str:
    """Read what follows `a=mid:`. Raises SdpError."""
    if not value or " " in value:
        raise SdpError("the mid is not one word", rfc="RFC 5888, section 4", hint="The form is a=mid:NAME")
    return value
