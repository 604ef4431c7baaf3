"""What plugins are told. No addresses and no tokens; what parties say to each other is not part of any repr."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who wants to sign in: `authorise(newcomer)`."""

    u: str  # canonical name
    n: str  # name as they write it
    rights: tuple[str, ...] = ()  # of their token


@dataclass(frozen=True, slots=True)
class CallNews:
    """A call: `call_started(call)` when both sides are connected, `call_ended(call)` when it is over, connected or not.

    Times are milliseconds since 1970; `why` is the reason for the end (docs/protocol.md, section 7).
    """

    call: str
    caller: str  # canonical names
    callee: str
    media: str  # "a", "v", "av"
    started: int
    answered: int | None = None
    ended: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one party of a call said to the other through the server: `message(message)`."""

    call: str
    t: str  # its type: "desc", "cand", "info" …
    sender: str
    receiver: str
    body: bytes = field(repr=False)  # JSON
