"""One device's conversation with the server: it outlives the socket that carries it (docs/protocol.md, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from peerline.signaling.delivery import Delivery, OverflowedError
from peerline.signaling.messages import Bye, Err

if TYPE_CHECKING:
    from peerline.signaling.person import Person


class Way(Protocol):
    """See calls.way."""

    token: str
    to: Any
    heads: dict[str, bytes]


_encode = msgspec.json.encode


class Carrier(Protocol):
    """What carries a session's frames: one socket, stream or poll. Never blocks, never raises."""

    # A request of a client that asks again by itself; to replace it is the usual thing and needs no `bye`.
    is_request: bool

    def send(self, frame: bytes) -> None:
        """Send one frame; dropped silently if the carrier is dead (the session will be resumed)."""

    def close(self, code: int) -> None:
        """Close with a WebSocket close code, after what was sent."""


class Session(Delivery):
    """Identity, numbering and the current carrier. `call` is the token of the call this device takes part in."""

    __slots__ = (
        "behind", "call", "carrier", "dev", "expires", "heard", "host", "ice_until", "is_ended", "is_watching", "key",
        "lost", "person", "rights", "sid", "tokens", "tokens_at", "way",
    )  # fmt: skip

    def __init__(self, sid: str, key: str, person: Person, dev: str, now: float, burst: int) -> None:
        super().__init__()
        self.sid = sid
        self.key = key
        self.person = person
        self.dev = dev
        self.host = ""  # the name under which this client reaches us: for the addresses of ICE servers
        self.ice_until = 0.0  # monotonic seconds: when its TURN credentials end
        self.rights: tuple[str, ...] = ()
        self.expires: float | None = None
        self.carrier: Carrier | None = None
        self.heard = now  # monotonic seconds: last byte received
        self.lost: float | None = None  # monotonic seconds: when the carrier was lost
        self.behind: float | None = None  # monotonic seconds: since when too much waits to be acknowledged
        self.is_ended = False
        self.is_watching = False
        self.call: str | None = None
        self.way: Way | None = None  # to the other party of that call, once it is up
        self.tokens: float = burst  # of the rate limit's bucket
        self.tokens_at = now

    def send(self, tail: bytes) -> None:
        """Number, keep and send an envelope given as the text after its numbers, `"t":"…"…}`."""
        if self.is_ended:
            return
        try:
            frame = self.number(tail)
        except OverflowedError:
            self.is_ended = True  # the owner's sweep finds it and cleans up
            self.send_plain(bye(Bye("gone", "rejoin")))
            self.drop_carrier(4410)
            return
        if self.carrier is not None:
            self.carrier.send(frame)

    def send_plain(self, frame: bytes) -> None:
        """Send a frame that has no number; lost if there is no carrier."""
        if self.carrier is not None:
            self.carrier.send(frame)

    def drop_carrier(self, code: int) -> None:
        """Close the carrier and forget it."""
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            carrier.close(code)


def tail(t: str, d: Any = None, *, call: str | None = None, re: str | None = None, head: bytes = b"") -> bytes:
    """The text of an envelope after its numbers. `head` is ready-made text, such as a stamped `from`."""
    text = b'"t":"%b"' % t.encode()
    if re is not None:
        text += b',"re":%b' % _encode(re)
    if call is not None:
        text += b',"call":%b' % _encode(call)
    return b'%b%b,"d":%b}' % (text, head, b"{}" if d is None else _encode(d))


def error_tail(error: Err, *, call: str | None = None, re: str | None = None) -> bytes:
    """An `err` envelope after its numbers."""
    return tail("err", error, call=call, re=re)


def bye(body: Bye) -> bytes:
    """A whole `bye` frame."""
    return b'{"t":"bye","d":%b}' % _encode(body)
