"""Frames of an open session: numbers checked, rates limited, each type to its action (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from peerline.errors import AuthError, PeerlineError, RefusedError, RemoteProtocolError
from peerline.plugins import Relayed
from peerline.server.hub import BAD_BYTES, Hub, describe
from peerline.server.ledger import history_of
from peerline.server.limits import Buckets
from peerline.signaling import messages as m
from peerline.signaling.delivery import ACK_EVERY, RELAY_ROOM_BYTES
from peerline.signaling.session import Session, error_tail, tail

_decode = msgspec.json.Decoder(m.Envelope).decode
_decode_batch = msgspec.json.Decoder(list[m.Envelope]).decode
_bodies: dict[str, msgspec.json.Decoder[Any]] = {t: msgspec.json.Decoder(b) for t, b in m.CLIENT_BODIES.items()}

# A session this many bursts in debt is not clumsy but hostile.
FLOOD_BURSTS = 4
# What somebody whose token has expired may not begin any more; a call that is up goes on.
NEEDS_TOKEN = frozenset({"call", "accept", "sync"})

Action = Callable[[Session, m.Envelope, Any, float], Any]
Question = Callable[[Session, Any], Coroutine[Any, Any, Any]]


class Dispatcher:
    """Takes the frames of all sessions of a hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._board = hub.board
        self._plugins = hub.plugins if hub.plugins.hears_messages else None
        self._rate = hub.config.limits.rate
        self._burst = hub.config.limits.burst
        self._calls = Buckets(hub.config.limits.calls_per_minute)
        self.own_total = 0
        self.relayed_total = 0
        self.errors_total: dict[str, int] = {}
        # Each gives the body of `ok`; None is an empty one.
        self._actions: dict[str, Action] = {
            "pres": lambda s, e, d, now: hub.roster.choose(s.person, d.st, now),
            "watch": lambda s, e, d, now: hub.roster.watch(s, now),
            "unwatch": lambda s, e, d, now: hub.roster.unwatch(s),
            "call": self._place,
            "rung": lambda s, e, d, now: self._board.rung(s, _token(e)),
            "accept": lambda s, e, d, now: self._board.accept(s, _token(e), d, now),
            "decline": lambda s, e, d, now: self._board.decline(s, _token(e), d, now),
            "cancel": lambda s, e, d, now: self._board.cancel(s, _token(e), d, now),
            "end": lambda s, e, d, now: self._board.end(s, _token(e), d, now),
            "sync": lambda s, e, d, now: self._board.sync(s, d.calls, now),
        }
        # These ask the store, and answer when it does.
        self._questions: dict[str, Question] = {"history": self._history, "seen": self._seen}

    def on_frame(self, session: Session, frame: bytes) -> bool:
        """Process one frame. False: the carrier must not deliver more (a gap, a flood, the end)."""
        if session.is_ended:
            return False  # it ended while the frame was on its way
        session.heard = self._hub.coarse_now
        try:
            if not frame.isascii():
                # msgspec does not look into the bodies we pass on, and a browser drops the whole socket
                # over one byte that is not UTF-8: a hostile party must not be able to do that to the other.
                str(frame, "utf-8")
            if not frame.startswith(b"["):
                return self._on_envelope(session, _decode(frame))
            envelopes = _decode_batch(frame)
        except BAD_BYTES as error:
            return self._on_bad(session, describe(error))
        if not 1 <= len(envelopes) <= m.MAX_BATCH:
            return self._on_bad(session, f"a batch has 1 to {m.MAX_BATCH} messages")
        return all(self._on_envelope(session, envelope) for envelope in envelopes)

    def _on_envelope(self, session: Session, e: m.Envelope) -> bool:
        # The hot path of the server: every name looked up here is looked up a hundred thousand times a second.
        if e.a:
            session.acknowledge(e.a)
        s = e.s
        if s:
            expected = session.received + 1
            if s != expected:
                return s < expected  # here before: drop it; else one is missing
            session.received = s
        session.tokens -= 1
        if session.tokens < 0 and not self._refill(session):
            return self._too_fast(session, e)
        way = session.way
        if way is not None and s and e.call == way.token and e.t in way.heads:
            self.relayed_total += 1
            # While the other side is away (it crashed, and may return) nobody is told: `up` `again` follows.
            other = way.to.session
            if other is not None:
                if other.kept_bytes > RELAY_ROOM_BYTES:
                    # What we keep for somebody who is slow to acknowledge must not be the end of their session.
                    error = m.Err("rate", "the other side is behind", retry_ms=1000)
                    session.send(error_tail(error, call=e.call, re=e.id))
                else:
                    other.send(way.heads[e.t] % e.d)
                    if self._plugins is not None:
                        self._plugins.message(Relayed(way.token, e.t, session.person.u, other.person.u, bytes(e.d)))
        else:
            self.own_total += 1
            if not self._on_own(session, e):
                return False
        if session.received - session.told >= ACK_EVERY:
            session.send_plain(session.take_ack())
        else:
            self._hub.ack_due.add(session)
        return not session.is_ended

    def _on_own(self, session: Session, e: m.Envelope) -> bool:
        """Everything but the hot path."""
        t = e.t
        if t == "ping":
            session.send_plain(b'{"t":"pong","a":%d,"d":%b}' % (session.received, bytes(e.d)))
            return True
        if t in ("ack", "pong"):
            return True
        if t == "bye":
            self._hub.end(session, "hangup")
            session.drop_carrier(1000)
            return False
        try:
            decoder = _bodies.get(t)
            if t not in m.RELAYED and (decoder is None or t == "hello"):
                raise RefusedError(f"there is no type {t!r} here", code="unsupported")
            if not e.s:
                raise RemoteProtocolError("the message has no sequence number")
            if decoder is None:
                raise self._board.no_way(session, _token(e))
            try:
                body = decoder.decode(e.d)
            except BAD_BYTES as error:
                raise RemoteProtocolError(describe(error)) from None
            question = self._questions.get(t)
            if question is not None:
                self._hub.tasks.spawn(self._answer_later(session, e, question(session, body)), t)
                return True
            now = self._hub.clock()
            if t in NEEDS_TOKEN and session.expires is not None and now > session.expires:
                raise AuthError("the token has expired", hint="Ask for a new one.")
            answer = self._actions[t](session, e, body, now)
        except PeerlineError as error:
            self._refuse(session, e, error)
        else:
            if e.id is not None:
                session.send(tail("ok", answer, call=e.call, re=e.id))
        self._hub.flush()
        return True

    def _place(self, session: Session, e: m.Envelope, body: m.PlaceCall, now: float) -> m.Ringing:
        u = session.person.u
        if not self._calls.take(u, now):
            raise RefusedError("too many calls", code="rate", retry_ms=self._calls.wait_ms(u, now))
        return self._board.place(session, _token(e), body, now)

    async def _history(self, session: Session, ask: m.AskHistory) -> m.History:
        await self._hub.ledger.journal.flushed()
        before = ask.before if isinstance(ask.before, int) else None
        rows = await self._hub.store.history(session.person.id, before, ask.limit)
        return history_of(session.person.id, rows)

    async def _seen(self, session: Session, ask: m.Seen) -> None:
        await self._hub.ledger.journal.flushed()
        await self._hub.store.mark_seen(session.person.id, ask.calls)

    async def _answer_later(self, session: Session, e: m.Envelope, question: Any) -> None:
        try:
            answer = await question
        except PeerlineError as error:
            self._refuse(session, e, error)
        else:
            if e.id is not None:
                session.send(tail("ok", answer, re=e.id))

    def _refuse(self, session: Session, e: m.Envelope, error: PeerlineError) -> None:
        self.errors_total[error.code] = self.errors_total.get(error.code, 0) + 1
        session.send(error_tail(error_body(error), call=e.call, re=e.id))

    def _on_bad(self, session: Session, message: str) -> bool:
        """Not an envelope: it says so and changes nothing, but it counts against the rate."""
        self.errors_total["bad"] = self.errors_total.get("bad", 0) + 1
        session.tokens -= 1
        if session.tokens < 0 and not self._refill(session):
            return self._too_fast(session, None)
        session.send(error_tail(m.Err("bad", message)))
        return True

    def _refill(self, session: Session) -> bool:
        now = self._hub.clock()
        gained = (now - session.tokens_at) * self._rate
        session.tokens = min(self._burst, session.tokens + gained)
        session.tokens_at = now
        return session.tokens >= 0

    def _too_fast(self, session: Session, e: m.Envelope | None) -> bool:
        if session.tokens < -FLOOD_BURSTS * self._burst:
            self.errors_total["flood"] = self.errors_total.get("flood", 0) + 1
            self._hub.kick(session, m.Bye("flood", "stop"), 4429)
            return False
        if e is not None and not e.s:
            return self._on_own(session, e)  # signs of life are counted, not refused
        self.errors_total["rate"] = self.errors_total.get("rate", 0) + 1
        wait_ms = int(-session.tokens / self._rate * 1000) + 1 if self._rate else 1000
        error = m.Err("rate", "too many messages", retry_ms=wait_ms)
        session.send(error_tail(error, call=e.call if e else None, re=e.id if e else None))
        return True


def error_body(error: PeerlineError) -> m.Err:
    """An exception as the protocol shows it."""
    return m.Err(error.code, error.message, error.hint, error.retry_ms)


def _token(e: m.Envelope) -> str:
    if e.call is None or not m.is_token(e.call):
        raise RemoteProtocolError("the message names no call", hint="A call token is a ULID.")
    return e.call
