"""Every message of `peerline/1` as a type (docs/protocol.md); web/sdk/src/protocol.ts is generated from here."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

PROTOCOL_VERSION = 1
SUBPROTOCOL = "peerline.v1.json"
MAX_FRAME_BYTES = 65_536
MAX_BATCH = 64

# Passed on between the two parties of a call, their bodies unread (section 8).
RELAYED = frozenset({"desc", "cand", "renego", "restart", "info"})
# These carry no sequence number (section 3).
UNSEQUENCED = frozenset({"hello", "welcome", "ping", "pong", "ack", "bye"})

_TOKEN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
Token = Annotated[str, Meta(pattern=rf"^{_TOKEN.pattern}\Z")]
Secret = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,128}\Z")]
RequestId = Annotated[str, Meta(min_length=1, max_length=64)]
Sequence = Annotated[int, Meta(ge=0, le=2**53)]
Medium = Literal["a", "v"]
Media = Annotated[list[Medium], Meta(max_length=2)]
ShownPresence = Literal["online", "call", "away", "dnd", "offline"]
ChosenPresence = Literal["online", "away", "dnd"]


def is_token(text: str) -> bool:
    """Whether this is a call token (a ULID)."""
    return _TOKEN.fullmatch(text) is not None


class Envelope(Struct, gc=False):
    """What every client message looks like from outside; `d` stays unparsed bytes until its type is known.

    `call` is only looked up here; where a token begins a call its form is checked (`is_token`).
    """

    t: Annotated[str, Meta(max_length=32)]
    s: Sequence = 0
    a: Sequence = 0
    id: RequestId | None = None
    call: Annotated[str, Meta(max_length=64)] | None = None
    d: Raw = Raw(b"{}")


class Who(Struct, frozen=True):
    """A person as others see them: canonical form `u`, name `n`."""

    u: str
    n: str


# Client to server ------------------------------------------------------------------------------------


class Resume(Struct):
    """The session to take up again; `rx` is the highest sequence number received."""

    sid: Annotated[str, Meta(max_length=64)]
    key: Annotated[str, Meta(max_length=128)]
    rx: Sequence


class Hello(Struct):
    """First frame (section 4)."""

    v: list[int]
    dev: Secret
    name: Annotated[str, Meta(max_length=256)] | UnsetType = UNSET
    own: Secret | UnsetType = UNSET
    tok: Annotated[str, Meta(max_length=4096)] | UnsetType = UNSET
    res: Resume | UnsetType = UNSET


class SetPresence(Struct):
    """`pres` from a client (section 6)."""

    st: ChosenPresence


class Watch(Struct):
    """`watch` and `unwatch` (section 6)."""


class PlaceCall(Struct):
    """`call` (section 7); `to` is `u/` and a canonical name."""

    to: Annotated[str, Meta(pattern="^u/", max_length=256)]
    media: Media
    ttl_ms: Annotated[int, Meta(ge=1, le=120_000)] | UnsetType = UNSET


class Rung(Struct):
    """`rung`: a device says that it is alerting."""


class Accept(Struct):
    """`accept` with the media the callee wants to send."""

    media: Media


class Decline(Struct):
    """`decline`, for the person or for this device alone."""

    scope: Literal["user", "device"] = "user"
    why: Literal["no", "busy", "later"] = "no"


class Cancel(Struct):
    """`cancel`, by the caller before `up`."""


class End(Struct):
    """`end`, by either party."""

    why: Literal["hangup", "ice_failed", "ice_lost", "media", "error"] = "hangup"


class KnownCall(Struct):
    """A call as a returning client remembers it (section 9)."""

    call: Token
    peer: Annotated[str, Meta(max_length=256)]
    role: Literal["caller", "callee"]
    live: bool
    media: Media = msgspec.field(default_factory=list)


class Sync(Struct):
    """`sync`: the calls a returning client still has."""

    calls: Annotated[list[KnownCall], Meta(max_length=8)]


class AskHistory(Struct):
    """`history` (section 10)."""

    before: Sequence | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class Seen(Struct):
    """`seen`: these missed calls were seen."""

    calls: Annotated[list[Token], Meta(max_length=100)]


# Server to client ------------------------------------------------------------------------------------


class Me(Struct, frozen=True):
    """Who the server takes the client for."""

    u: str
    n: str
    rights: list[str]


class IceServer(Struct, frozen=True, omit_defaults=True):
    """As in W3C RTCIceServer."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Ice(Struct, frozen=True):
    """What goes into RTCPeerConnection's iceServers, and for how long it is good."""

    servers: list[IceServer]
    ttl_s: int


class LimitsTold(Struct, frozen=True):
    """Frame size in bytes, messages per second, burst."""

    frame: int
    rate: float
    burst: int


class Welcome(Struct, frozen=True):
    """The answer to `hello`."""

    v: int
    sid: str
    key: str
    epoch: str
    res: bool
    rx: int
    hb_s: float
    grace_s: float
    now: int
    me: Me
    ice: Ice
    lim: LimitsTold
    feat: list[str]


class Bye(Struct, frozen=True, omit_defaults=True):
    """The server ends the socket or the session, and says what to do about it."""

    why: Literal["drain", "replaced", "expired", "slow", "gone", "flood"]
    act: Literal["resume", "rejoin", "stop"]
    in_ms: int = 0


class Err(Struct, frozen=True, omit_defaults=True):
    """A refusal (section 11)."""

    code: str
    msg: str
    hint: str | None = None
    retry_ms: int | None = None


class PersonShown(Struct, frozen=True):
    """All that people see of each other."""

    u: str
    n: str
    st: ShownPresence


class People(Struct, frozen=True):
    """Answer to `watch`, and `pres` from the server."""

    people: list[PersonShown]


class Ringing(Struct, frozen=True):
    """Answer to `call`: when it stops ringing."""

    exp: int


class Ring(Struct, frozen=True):
    """`ring`."""

    media: list[Medium]
    exp: int
    now: int


class Up(Struct, frozen=True):
    """`up`: both sides are there."""

    peer: Who
    polite: bool
    media: list[Medium]
    again: bool
    fresh: bool


class Stop(Struct, frozen=True):
    """`stop`: stop ringing."""

    why: Literal["elsewhere", "declined", "cancelled", "timeout", "offline", "merged"]


EndReason = Literal[
    "hangup", "declined", "busy", "cancelled", "timeout", "offline", "dnd", "merged",
    "ice_failed", "ice_lost", "media", "error", "lost",
]  # fmt: skip


class Ended(Struct, frozen=True, omit_defaults=True):
    """`end` from the server."""

    why: EndReason
    into: str | None = None


class Synced(Struct, frozen=True):
    """Answer to `sync`."""

    calls: dict[str, Literal["ok", "wait", "gone"]]


class HistoryEntry(Struct, frozen=True):
    """One call as one of its two people sees it; times in milliseconds since 1970."""

    call: str
    dir: Literal["in", "out"]
    peer: Who
    media: list[Medium]
    started: int
    answered: int | None
    ended: int | None
    why: str | None


class History(Struct, frozen=True):
    """Answer to `history`, newest first."""

    calls: list[HistoryEntry]


class MissedCall(Struct, frozen=True, rename={"from_": "from"}):
    """A call that was not answered."""

    call: str
    from_: Who
    media: list[Medium]
    at: int
    why: str


class Missed(Struct, frozen=True):
    """`missed`."""

    calls: list[MissedCall]


# Between the two parties, unread by the server; here for the clients' sake ---------------------------


class SessionDescription(Struct, frozen=True):
    """As in W3C RTCSessionDescriptionInit."""

    type: Literal["offer", "answer", "pranswer", "rollback"]
    sdp: str


class Desc(Struct, frozen=True):
    """`desc`: generation `g` of the peer connection, negotiation `n` within it."""

    pc: str
    g: int
    n: int
    sdp: SessionDescription


class Candidate(Struct, frozen=True):
    """As in W3C RTCIceCandidateInit."""

    candidate: str
    sdpMid: str | None
    sdpMLineIndex: int | None
    usernameFragment: str | None


class Cand(Struct, frozen=True, omit_defaults=True):
    """`cand`: a batch of candidates; `end` once, when gathering is complete."""

    pc: str
    g: int
    c: list[Candidate]
    end: bool = False


class Renego(Struct, frozen=True):
    """`renego`: please make an offer."""

    pc: str
    why: str


class Restart(Struct, frozen=True):
    """`restart`: please make an offer with an ICE restart."""

    pc: str
    why: Literal["net", "lost", "server"]


CLIENT_BODIES: dict[str, Any] = {
    "hello": Hello, "pres": SetPresence, "watch": Watch, "unwatch": Watch, "call": PlaceCall, "rung": Rung,
    "accept": Accept, "decline": Decline, "cancel": Cancel, "end": End, "sync": Sync, "history": AskHistory,
    "seen": Seen,
}  # fmt: skip
SERVER_BODIES: dict[str, Any] = {
    "welcome": Welcome, "bye": Bye, "err": Err, "pres": People, "ring": Ring, "up": Up, "stop": Stop,
    "end": Ended, "missed": Missed, "ice": Ice,
}  # fmt: skip
PARTY_BODIES: dict[str, Any] = {"desc": Desc, "cand": Cand, "renego": Renego, "restart": Restart}
ANSWERS: dict[str, Any] = {"call": Ringing, "watch": People, "sync": Synced, "history": History}
