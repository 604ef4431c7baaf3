"""What carries a session's messages: one WebSocket, or HTTP requests (docs/protocol.md, section 2)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from peerline.client.envelope import Envelope
from peerline.server_url import ServerUrl
from peerline.signaling.messages import Hello, Welcome

__all__ = ["OPEN_S", "PROBE_S", "Carriage", "CarriageEnd", "Clock", "Kind", "NoWayError", "Opened", "Owner", "Server"]

Kind = Literal["websocket", "sse", "poll"]

# How long a lost network may go unnoticed after a reason to look.
PROBE_S = 3.0
# How long a way may take to bring the `welcome`.
OPEN_S = 4.0


@dataclass(frozen=True, slots=True)
class CarriageEnd:
    """What follows the end of a carriage: resume the session, say hello anew, or stay away."""

    act: Literal["resume", "rejoin", "stop"]
    why: str


class Clock(Protocol):
    """An event loop, as far as it is a clock."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[], object], /) -> Any:
        """Gives something with `cancel()`."""


class Owner(Protocol):
    """The session, as its carriage sees it."""

    @property
    def received(self) -> int:
        """The highest sequence number received."""

    def receive(self, envelope: Envelope) -> None:
        """A message has come."""

    def ended(self, end: CarriageEnd) -> None:
        """Told once, unless the owner closed it."""

    def turned(self, kind: Kind) -> None:
        """The kind has changed: server-sent events turned out to be held back on the way."""


class Carriage(Protocol):
    """Never raises: what does not arrive is sent again after the resume."""

    kind: Kind

    def start(self, owner: Owner) -> None:
        """From now on messages go to `owner`; those that came before are handed over first."""

    def send(self, frame: bytes) -> None:
        """One envelope."""

    def probe(self) -> None:
        """There is reason to doubt that it is alive: make sure within three seconds."""

    async def leave(self) -> None:
        """Say bye, for the session ends with this; returns when it is said, or cannot be said."""

    def close(self) -> None:
        """Drop it without a word; the session goes on elsewhere."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is, and whom we trust to be it."""

    url: ServerUrl
    tls: ssl.SSLContext | None
    clock: Clock


class NoWayError(Exception):
    """This way does not get through. `is_untrusted`: because of the server's certificate, which no other way cures."""

    def __init__(self, reason: str, *, is_untrusted: bool = False) -> None:
        super().__init__(reason)
        self.is_untrusted = is_untrusted


@dataclass(frozen=True, slots=True)
class Opened:
    """A carriage that works, and how the server greeted."""

    carriage: Carriage
    welcome: Welcome


class Open(Protocol):
    """How one way is opened: raises NoWayError if it does not work here, PeerlineError if the server refuses."""

    async def __call__(self, server: Server, hello: Hello) -> Opened: ...


def no_way(error: BaseException) -> NoWayError:
    """In words, from what a socket says."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NoWayError(f"its certificate is not accepted: {error.verify_message}", is_untrusted=True)
    if isinstance(error, ssl.SSLError):
        return NoWayError((error.reason or "the TLS handshake failed").replace("_", " ").lower())
    if isinstance(error, TimeoutError):
        return NoWayError(f"it did not answer within {OPEN_S:g} s")
    if isinstance(error, ConnectionRefusedError):
        return NoWayError("nobody listens there")
    if isinstance(error, OSError):
        return NoWayError((error.strerror or str(error) or type(error).__name__).lower())
    return NoWayError(str(error).splitlines()[0][:200] if str(error) else type(error).__name__)
