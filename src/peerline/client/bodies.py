"""Bodies as a client reads them: of the server (sections 7, 9), and of the other party, whom nobody has checked (8).

A word that a later server may add (why a call ended, a medium) must not make a message unreadable: they are texts here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from peerline.signaling.messages import Sequence, Who

PC: Literal["p2p"] = "p2p"
MAX_CANDIDATES = 256

T = TypeVar("T")


class Ring(Struct):
    """`ring`: how long it may, in the server's time."""

    exp: float = 0
    now: float = 0
    media: list[str] = []


class Up(Struct):
    """`up`: both sides are there."""

    peer: Who
    media: list[str] = []
    again: bool = False
    fresh: bool = False


class Ended(Struct):
    """`end` and `stop`: why, and which call goes on in its place."""

    why: str = "error"
    into: str | None = None


class Dismissed(Struct):
    """`bye`: what to do about it ("resume", "rejoin", "stop"), and when."""

    act: str = "resume"
    why: str = "bye"
    in_ms: Annotated[float, Meta(ge=0)] = 0


class Synced(Struct):
    """Answer to `sync`: "ok", "wait" or "gone" for each call."""

    calls: dict[str, str] = {}


class Description(Struct, frozen=True):
    """As in W3C RTCSessionDescriptionInit; the two kinds that are sent."""

    type: Literal["offer", "answer"]
    sdp: str


class Desc(Struct, frozen=True):
    """`desc`: generation `g` of the peer connection, negotiation `n` within it."""

    pc: Literal["p2p"]
    g: Sequence
    n: Sequence
    sdp: Description


class Candidate(Struct, frozen=True):
    """As in W3C RTCIceCandidateInit."""

    candidate: str
    sdpMid: str | None = None
    sdpMLineIndex: Annotated[int, Meta(ge=0, le=65535)] | None = None
    usernameFragment: str | None = None


class Cand(Struct, frozen=True, omit_defaults=True):
    """`cand`: a batch of candidates; `end` once, when gathering is complete."""

    pc: Literal["p2p"]
    g: Sequence
    c: Annotated[list[Candidate], Meta(max_length=MAX_CANDIDATES)]
    end: bool = False


class About(Struct, frozen=True):
    """`renego` and `restart`: which connection is meant."""

    pc: str = ""


def read(body: Raw, kind: type[T]) -> T | None:
    """The body, or None if it is not of this kind."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read_object(data: Any) -> dict[str, Any] | None:
    """A message of a data channel: a JSON object, or None if it is anything else."""
    if not isinstance(data, str):
        return None
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
