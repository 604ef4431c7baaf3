"""One device's conversation with the server, over as many sockets as it takes (docs/protocol.md, sections 4 and 5)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Raw

from peerline.client.bodies import Dismissed, read
from peerline.client.carriage import Carriage, CarriageEnd, Kind, Opened, Server
from peerline.client.choice import TransportWish, open_first, ways
from peerline.client.envelope import Envelope
from peerline.client.errors import SignedOutError, UnreachableError
from peerline.client.requests import Answer, Requests
from peerline.errors import PeerlineError, RefusedError
from peerline.signaling.delivery import ACK_EVERY, Delivery, OverflowedError
from peerline.signaling.messages import MAX_FRAME_BYTES, Hello, Ice, Resume, Welcome
from peerline.signaling.session import tail

__all__ = ["ClientState", "Session", "SessionOwner", "backoff"]

ClientState = Literal["connected", "reconnecting", "closed"]
OpenFirst = Callable[[Sequence[Kind], Server, Callable[[], Hello]], Any]

_ACK_S = 1.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
# So often the way that worked is tried alone: a server that restarts would else push us to a lesser one.
_LOYAL_TRIES = 4
# Room for the numbers that are put onto a message.
_STAMP_BYTES = 64


class SessionOwner(Protocol):
    """Who is told. Called on the loop's thread, one after the other."""

    def began(self) -> None:
        """A new session: everything the server should know is to be said anew. Unanswered requests follow."""

    def received(self, envelope: Envelope) -> None:
        """A message that answers nothing."""

    def state_changed(self, state: ClientState, why: str | None) -> None:
        """`closed` is the last."""


class Session:
    """Says hello with `open`, and again whenever a socket is lost, until it is closed or dismissed."""

    welcome: Welcome

    def __init__(
        self,
        server: Server,
        hello: Callable[[], Hello],
        owner: SessionOwner,
        *,
        wish: TransportWish = "auto",
        open_first: OpenFirst = open_first,
    ) -> None:
        self._server = server
        self._say_hello = hello
        self._owner = owner
        self._wish = wish
        self._open_first = open_first
        self.state: ClientState = "reconnecting"
        self.kind: Kind = "websocket"
        self._delivery = Delivery()
        self._requests = Requests()
        self._carriage: Carriage | None = None
        self._resume: tuple[str, str] | None = None
        self._ack_timer: Any = None
        self._reconnecting: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._why_closed = "closed"

    async def open(self) -> None:
        """Say hello once. Raises UnreachableError, or the server's refusal as another PeerlineError."""
        self._enter(await self._open_first(ways(self._wish), self._server, self._hello))

    def send(self, t: str, d: Any, call: str | None = None) -> None:
        """Send once, in order, whatever happens to the socket. Raises RefusedError (`too_large`)."""
        self._push(tail(t, d, call=call))

    def ask(self, t: str, d: Any, call: str | None = None, answer: Answer = lambda _: None) -> None:
        """Send, and tell `answer` of the body of `ok`, or of the error."""
        if self.state == "closed":
            answer(self._signed_out())
        else:
            self._push(self._requests.ask(t, d, call, answer))

    async def request(self, t: str, d: Any, call: str | None = None) -> Raw:
        """The body of `ok`. Raises the server's refusal as a PeerlineError, SignedOutError if no answer can come."""
        answered: asyncio.Future[Raw] = asyncio.get_running_loop().create_future()

        def answer(body: Raw | PeerlineError) -> None:
            if answered.done():
                return
            if isinstance(body, PeerlineError):
                answered.set_exception(body)
            else:
                answered.set_result(body)

        self.ask(t, d, call, answer)
        return await answered

    def renew_ice(self, ice: Ice) -> None:
        """Fresh credentials for the TURN server, before the old ones end."""
        self.welcome = msgspec.structs.replace(self.welcome, ice=ice)

    def check(self) -> None:
        """There is reason to doubt the connection: make sure of it, or hurry with the next one."""
        self._hurry.set()
        if self._carriage is not None:
            self._carriage.probe()

    async def close(self) -> None:
        """Bye: the session and its calls end at once. Returns when it is said, or cannot be said. Twice is fine."""
        carriage = self._let_go()
        self._stop_reconnecting()
        if carriage is not None:
            await carriage.leave()
        self._close("closed")

    # What the carriage says (see carriage.Owner) ------------------------------------------------------

    @property
    def received(self) -> int:
        """The highest sequence number received."""
        return self._delivery.received

    def receive(self, envelope: Envelope) -> None:
        """A message has come, perhaps a second time."""
        if envelope.t == "bye":
            return self._dismissed(envelope)
        delivery = self._delivery
        delivery.acknowledge(envelope.a)
        if envelope.s is not None:
            if envelope.s <= delivery.received:
                return None
            if envelope.s > delivery.received + 1:
                return self.ended(CarriageEnd("resume", "gap"))
            delivery.received = envelope.s
        if envelope.t == "ack":
            return None
        self._acknowledge_soon()
        if envelope.re is not None:
            self._requests.answer(envelope)
        else:
            self._owner.received(envelope)
        return None

    def ended(self, end: CarriageEnd, pause_s: float = 0.0) -> None:
        """The carriage is gone, or to be given up."""
        carriage = self._let_go()
        if carriage is not None:
            carriage.close()
        if end.act != "resume":
            self._resume = None
        if end.act == "stop":
            self._close(end.why)
        elif self.state != "closed":
            self._stop_reconnecting()
            self._reconnecting = asyncio.get_running_loop().create_task(self._reconnect(pause_s, end.why))

    def turned(self, kind: Kind) -> None:
        """Event streams are held back."""
        self.kind = kind

    # Sending -----------------------------------------------------------------------------------------

    def _push(self, message: bytes) -> None:
        if self.state == "closed":
            return
        if len(message) + _STAMP_BYTES > MAX_FRAME_BYTES:
            raise RefusedError(f"a message is over {MAX_FRAME_BYTES} bytes", code="too_large")
        try:
            frame = self._delivery.number(message)
        except OverflowedError:
            self.ended(CarriageEnd("rejoin", "gone"))
            return
        if self._carriage is not None:
            self._quiet()
            self._carriage.send(frame)

    def _acknowledge_soon(self) -> None:
        untold = self._delivery.received - self._delivery.told
        if untold >= ACK_EVERY:
            self._acknowledge()
        elif untold > 0 and self._ack_timer is None:
            self._ack_timer = self._server.clock.call_later(_ACK_S, self._acknowledge)

    def _acknowledge(self) -> None:
        self._quiet()
        if self._carriage is not None:
            self._carriage.send(self._delivery.take_ack())

    def _quiet(self) -> None:
        """What goes out now acknowledges, too."""
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None

    # Coming and going --------------------------------------------------------------------------------

    def _hello(self) -> Hello:
        hello = self._say_hello()
        if self._resume is not None:
            sid, key = self._resume
            hello.res = Resume(sid, key, self._delivery.received)
        return hello

    def _enter(self, opened: Opened) -> None:
        """There is a session: the old one again, or a new one. Raises UnreachableError if it cannot be."""
        carriage, welcome = opened.carriage, opened.welcome
        delivery = self._delivery
        if welcome.res and not delivery.acked <= welcome.rx <= delivery.sent:
            carriage.close()
            self._resume = None
            raise UnreachableError("the session cannot be resumed")
        self._carriage, self.kind, self.welcome = carriage, carriage.kind, welcome
        self._resume = (welcome.sid, welcome.key)
        if welcome.res:
            delivery.acknowledge(welcome.rx)
            for frame in delivery.unacknowledged():
                carriage.send(frame)
        else:
            self._delivery = Delivery()
            again = self._requests.unanswered()
            self._owner.began()
            for message in again:
                self._push(message)
        self._turn("connected")
        carriage.start(self)

    def _dismissed(self, envelope: Envelope) -> None:
        """The server said bye, and what to do about it."""
        bye = read(envelope.d, Dismissed) or Dismissed()
        acts = (act for act in ("stop", "rejoin") if act == bye.act)
        self.ended(CarriageEnd(next(acts, "resume"), bye.why), bye.in_ms / 1000)

    async def _reconnect(self, pause_s: float, why: str) -> None:
        """Connect until it works, is refused for good, or is not wanted any more."""
        self._turn("reconnecting", why)
        failures = 0
        while True:
            await self._pause(pause_s)
            kinds = (self.kind,) if failures < _LOYAL_TRIES else ways(self._wish, self.kind)
            try:
                self._enter(await self._open_first(kinds, self._server, self._hello))
                return
            except UnreachableError:
                pause_s = backoff(failures)
            except PeerlineError as error:
                if error.code not in ("rate", "unavailable"):
                    self._close(error.code)
                    return
                pause_s = max(backoff(failures), (error.retry_ms or 0) / 1000)
            failures += 1

    async def _pause(self, pause_s: float) -> None:
        """Wait, but not when somebody is in a hurry."""
        self._hurry.clear()
        if pause_s <= 0:
            return
        timer = self._server.clock.call_later(pause_s, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()

    def _stop_reconnecting(self) -> None:
        reconnecting, self._reconnecting = self._reconnecting, None
        # It may be the one that calls us: then it is about to end.
        if reconnecting is not None and reconnecting is not asyncio.current_task():
            reconnecting.cancel()

    def _let_go(self) -> Carriage | None:
        carriage, self._carriage = self._carriage, None
        self._quiet()
        return carriage

    def _close(self, why: str) -> None:
        if self.state == "closed":
            return
        self._why_closed = why
        self._turn("closed", why)
        self._requests.fail(self._signed_out())

    def _signed_out(self) -> SignedOutError:
        return SignedOutError(f"signed out: {self._why_closed}", code=self._why_closed)

    def _turn(self, state: ClientState, why: str | None = None) -> None:
        if state != self.state:
            self.state = state
            self._owner.state_changed(state, why)


def backoff(failures: int, chance: float | None = None) -> float:
    """0.2 s, doubled with each failure up to 5 s; a random half of it, so that not all come back at once."""
    longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**failures)
    return longest * (0.5 + (random.random() if chance is None else chance) / 2)
