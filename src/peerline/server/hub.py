"""The heart of the signaling server: sessions come and go (docs/protocol.md, section 4). Doors bring frames in."""

from __future__ import annotations

import logging
import random
import re
import secrets
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from peerline.auth.keys import hash_key, same
from peerline.auth.names import parse_name
from peerline.auth.tokens import Tokens
from peerline.calls.call import Call
from peerline.calls.switchboard import Switchboard
from peerline.config import Config
from peerline.errors import AuthError, RefusedError, RemoteProtocolError
from peerline.plugins import Newcomer, Plugins
from peerline.presence.roster import Roster
from peerline.server.ledger import CallLedger, missed_of
from peerline.server.limits import Buckets
from peerline.server.tasks import Tasks
from peerline.signaling import messages as m
from peerline.signaling.delivery import RELAY_ROOM_BYTES
from peerline.signaling.person import Person
from peerline.signaling.session import Carrier, Session, bye, tail
from peerline.signaling.timers import Timers
from peerline.store import CallRow, Store, refuse_taken

log = logging.getLogger("peerline.signaling")

_envelope = msgspec.json.Decoder(m.Envelope)
_hello = msgspec.json.Decoder(m.Hello)
# What hostile bytes make msgspec raise, besides its own errors.
BAD_BYTES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")

SWEEP_S = 1.0
# A socket without a byte for so many heartbeats is dead.
DEAD_HEARTBEATS = 2.5
# Who acknowledges nothing for so long while much waits is gone.
BEHIND_S = 5.0
FEATURES = ["calls", "presence", "history"]


class TurnOffer(Protocol):
    """A TURN server as clients are told of it."""

    def urls(self, host: str) -> list[str]:
        """Where it is, for somebody who knows this machine as `host`."""

    def credentials(self, name: str, now_s: float, ttl_s: float) -> tuple[str, str]:
        """User name and password, good for `ttl_s`."""


class NoHelloError(RemoteProtocolError):
    """The first frame is nothing of this protocol: whoever sent it is no client."""


class Hub:
    """All sessions of one server. Time comes from `clock` (monotonic seconds), so that tests can drive it."""

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        tokens: Tokens | None = None,
        plugins: Plugins | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.clock = clock
        self.store = store
        self.tasks = Tasks()
        self.timers = Timers()
        self.epoch = secrets.token_hex(8)
        self.sessions: dict[str, Session] = {}
        self.ack_due: set[Session] = set()
        self.coarse_now = clock()  # good to a second: what the hot path uses
        self.stun_port: int | None = None
        self.turn: TurnOffer | None = None
        self.is_draining = False
        self._wall = wall
        self._tokens = tokens
        self._hellos = Buckets(config.limits.hellos_per_minute)
        times = config.signaling
        self.roster = Roster(self.timers, times.linger_s)
        self.plugins = plugins or Plugins()
        self.ledger = CallLedger(store, self._tell_missed, self.plugins)
        self.board = Switchboard(
            self.roster, self.timers, self.ledger, wall_ms=self.wall_ms, ring_s=times.ring_s,
            hold_s=times.hold_s, sync_s=times.sync_s, linger_s=times.linger_s,
        )  # fmt: skip
        self.hellos_total = {"new": 0, "resumed": 0}
        self.timers.at(self.coarse_now + SWEEP_S, self._sweep)

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self._wall() * 1000)

    @property
    def is_full(self) -> bool:
        """Whether there is room for no more sessions."""
        return len(self.sessions) >= self.config.limits.connections

    # Opening and resuming ----------------------------------------------------------------------------

    async def hello(
        self, frame: bytes, *, host: str, address: str, is_wanted: Callable[[], bool] = lambda: True
    ) -> tuple[Session, bytes]:
        """A first frame: gives the session it opens or resumes, and the `welcome` to send before `attach`.

        `host` is the name under which the client reaches us, `address` where it comes from (for the rate limit
        only, never kept). Raises PeerlineError, to be sent as `err`.
        """
        hello = _parse_hello(frame)
        if self.is_draining:
            raise RefusedError("the server is going down", code="unavailable", retry_ms=1000)
        now = self.clock()
        if isinstance(hello.res, m.Resume):
            session = self.find(hello.res.sid, hello.res.key)
            if session is not None and session.dev == hello.dev:
                session.acknowledge(hello.res.rx)
                session.host = _host(host)
                self.hellos_total["resumed"] += 1
                return session, self._welcome(session, is_resumed=True)
        if not self._hellos.take(address, now):
            wait_ms = self._hellos.wait_ms(address, now)
            raise RefusedError("too many sign-ins from this address", code="rate", retry_ms=wait_ms)
        if self.is_full:
            raise RefusedError("the server is full", code="unavailable", retry_ms=1000)
        u, n, rights, ends_in_s = self._identify(hello)
        await self.plugins.authorise(Newcomer(u, n, rights))
        key_hash = hash_key(hello.own) if self._tokens is None and isinstance(hello.own, str) else None
        person_id = await self.store.claim(u, n, key_hash, self.wall_ms())
        if not is_wanted():
            # The client has given up meanwhile, and may be back already: it must not be replaced by its own past.
            raise RefusedError("too late", code="unavailable", retry_ms=1000)
        session = self._open(person_id, u, n, hello.dev)
        session.rights = rights
        session.host = _host(host)
        session.expires = None if ends_in_s is None else self.clock() + ends_in_s
        self.hellos_total["new"] += 1
        return session, self._welcome(session, is_resumed=False)

    def attach(self, session: Session, carrier: Carrier) -> None:
        """The session is carried by this from now on; what was not acknowledged is sent again."""
        if session.is_ended:
            carrier.close(4410)
            return
        if session.carrier is not None:
            if not session.carrier.is_request:
                session.send_plain(bye(m.Bye("replaced", "stop")))
            session.drop_carrier(4440)
        now = self.clock()
        was_away = session.lost is not None
        session.carrier = carrier
        session.lost = None
        session.heard = now
        for frame in session.unacknowledged():
            carrier.send(frame)
        if was_away:
            self.roster.touch(session.person, now)
            self.board.arrived(session)
            self.flush()
        if self.is_draining:  # it was between two polls
            self._send_away(session)

    def detach(self, session: Session, carrier: Carrier) -> None:
        """The carrier is gone; the session waits for another."""
        if session.carrier is not carrier or session.is_ended:
            return
        session.carrier = None
        self._wait_for_return(session)

    def find(self, sid: str, key: str) -> Session | None:
        """The session of this id, if the key is right."""
        session = self.sessions.get(sid)
        return session if session is not None and not session.is_ended and same(session.key, key) else None

    # Ending ------------------------------------------------------------------------------------------

    def end(self, session: Session, why: m.EndReason, *, may_return: bool = False) -> None:
        """The session is over: its call ends with `why`, unless the device may return in a new session."""
        session.is_ended = True
        if self.sessions.pop(session.sid, None) is None:
            return
        now = self.clock()
        person = session.person
        self.roster.unwatch(session)
        self.ack_due.discard(session)
        self.board.left(session, now, why=why, may_return=may_return)
        if person.sessions.get(session.dev) is session:
            del person.sessions[session.dev]
        if not person.sessions:
            self.roster.remove(person, now)
        else:
            self.roster.touch(person, now)
        self.flush()

    def kick(self, session: Session, body: m.Bye, code: int, why: m.EndReason = "error") -> None:
        """End a session from this side, and say why."""
        session.send_plain(bye(body))
        carrier, session.carrier = session.carrier, None
        self.end(session, why)
        if carrier is not None:
            carrier.close(code)

    def drain(self) -> None:
        """Tell everybody to come back in a moment: the server is going."""
        self.is_draining = True
        for session in list(self.sessions.values()):
            if session.carrier is not None:
                self._send_away(session)

    async def close(self) -> None:
        """Finish what is to be written, and stop."""
        await self.tasks.close()
        await self.ledger.journal.close()

    # Time --------------------------------------------------------------------------------------------

    def handle_timeout(self, now: float) -> None:
        """Run what is due."""
        self.timers.handle_timeout(now)
        self.flush()

    def flush(self) -> None:
        """Send what the switchboard has to say."""
        for session, text in self.board.poll_transmits():
            session.send(text)

    def _sweep(self, now: float) -> None:
        self.coarse_now = now
        self.timers.at(now + SWEEP_S, self._sweep)
        due, self.ack_due = self.ack_due, set()
        for session in due:
            if session.received > session.told:
                session.send_plain(session.take_ack())
        # `heard` is good to a sweep.
        silent_since = now - DEAD_HEARTBEATS * self.config.signaling.heartbeat_s - SWEEP_S
        for session in list(self.sessions.values()):
            if session.kept_bytes <= RELAY_ROOM_BYTES:
                session.behind = None
            if session.is_ended:  # it overflowed
                self.end(session, "lost")
            elif session.kept_bytes > RELAY_ROOM_BYTES and session.carrier is not None:
                if session.behind is None:
                    session.behind = now
                elif now - session.behind > BEHIND_S:  # it does not read, or does not mean to acknowledge
                    self.kick(session, m.Bye("slow", "rejoin"), 4413, "lost")
            elif session.carrier is not None and session.heard < silent_since:
                session.drop_carrier(4408)
                self._wait_for_return(session)
            elif session.expires is not None and now > session.expires and not self.board.is_up(session):
                self.kick(session, m.Bye("expired", "stop"), 4401)
            elif self.turn is not None and now > session.ice_until - self.config.signaling.ice_ttl_s / 2:
                session.send(tail("ice", self._ice(session)))

    def _wait_for_return(self, session: Session) -> None:
        now = self.clock()
        session.lost = lost = now
        times = self.config.signaling

        def linger_over(now: float) -> None:
            if session.lost == lost and not session.is_ended:
                self.roster.touch(session.person, now)
                if not session.person.reachable(now, times.linger_s):
                    self.board.unreachable(session.person, now)

        def grace_over(_now: float) -> None:
            if session.lost == lost and not session.is_ended:
                self.end(session, "lost")

        self.timers.at(now + times.linger_s, linger_over)
        self.timers.at(now + times.grace_s, grace_over)

    # Inside ------------------------------------------------------------------------------------------

    def _send_away(self, session: Session) -> None:
        wait_ms = int(random.random() * self.config.signaling.drain_s * 1000)
        session.send_plain(bye(m.Bye("drain", "resume", wait_ms)))
        session.drop_carrier(1012)

    def _identify(self, hello: m.Hello) -> tuple[str, str, tuple[str, ...], float | None]:
        """Canonical name, name, rights, seconds until the token ends."""
        if self._tokens is not None:
            if not isinstance(hello.tok, str):
                raise AuthError("this server asks for a token", hint="Ask the operator for one.")
            grant = self._tokens.check(hello.tok)
            u, n = parse_name(grant.name)
            if isinstance(hello.name, str) and parse_name(hello.name)[0] != u:
                raise AuthError("the token is for another name", hint=f"Sign in as {n}.")
            return u, n, grant.rights, grant.expires - self._wall()
        if not isinstance(hello.name, str) or not isinstance(hello.own, str):
            raise RemoteProtocolError("hello needs name and own")
        u, n = parse_name(hello.name)
        return u, n, (), None

    def _open(self, person_id: str, u: str, n: str, dev: str) -> Session:
        now = self.clock()
        person = self.roster.get(u)
        is_new = person is None
        if person is None:
            person = Person(person_id, u, n)
        elif person.id != person_id:  # the name had expired while its owner was still here: it stays theirs
            raise refuse_taken(n)
        old = person.sessions.get(dev)
        if old is None and len(person.sessions) >= self.config.limits.devices:
            away = min(person.sessions.values(), key=lambda s: s.lost if s.lost is not None else now)
            if away.lost is None:
                raise RefusedError("too many devices under this name", code="rate", hint="Close some of them.")
            self.end(away, "lost")
        session = Session(
            secrets.token_urlsafe(12), secrets.token_urlsafe(24), person, dev, now, self.config.limits.burst
        )
        self.sessions[session.sid] = session
        person.sessions[dev] = session
        if is_new or self.roster.get(u) is not person:
            self.roster.add(person, now)
        if old is not None:
            old.send_plain(bye(m.Bye("replaced", "stop")))
            old.drop_carrier(4440)
            self.end(old, "lost", may_return=True)
        self._wait_for_return(session)  # until a carrier is attached
        self.roster.touch(person, now)
        self.board.arrived(session)
        self.flush()
        self.tasks.spawn(self._send_missed(session), "missed calls")
        return session

    def _welcome(self, session: Session, *, is_resumed: bool) -> bytes:
        times, limits = self.config.signaling, self.config.limits
        person = session.person
        body = m.Welcome(
            v=m.PROTOCOL_VERSION, sid=session.sid, key=session.key, epoch=self.epoch, res=is_resumed,
            rx=session.received,
            hb_s=times.heartbeat_s, grace_s=times.grace_s, now=self.wall_ms(),
            me=m.Me(person.u, person.n, list(session.rights)), ice=self._ice(session),
            lim=m.LimitsTold(m.MAX_FRAME_BYTES, limits.rate, limits.burst), feat=FEATURES,
        )  # fmt: skip
        return b'{"t":"welcome","d":%b}' % msgspec.json.encode(body)

    def _ice(self, session: Session) -> m.Ice:
        """Our STUN and TURN servers under the name the client knows us by, and what the operator adds."""
        ttl_s = self.config.signaling.ice_ttl_s
        session.ice_until = self.clock() + ttl_s
        host = session.host
        urls = [f"stun:{host}:{self.stun_port}"] if self.stun_port is not None else []
        servers = [m.IceServer([url]) for url in (*urls, *self.config.ice_servers)]
        if self.turn is not None:
            # Not the name: it would go over the wire in the clear.
            name, password = self.turn.credentials(session.person.id, self._wall(), ttl_s)
            servers.append(m.IceServer(self.turn.urls(host), name, password))
        return m.Ice(servers, int(ttl_s))

    async def _send_missed(self, session: Session) -> None:
        await self.ledger.journal.flushed()
        rows = await self.store.missed(session.person.id)
        if rows:
            session.send(tail("missed", missed_of(rows)))

    def _tell_missed(self, call: Call, row: CallRow) -> None:
        text = tail("missed", missed_of([row]))
        for session in call.callee.person.sessions.values():
            self.board.send(session, text)


def _parse_hello(frame: bytes) -> m.Hello:
    try:
        envelope = _envelope.decode(frame)
    except BAD_BYTES as error:
        raise NoHelloError(describe(error)) from None
    if envelope.t != "hello":
        raise NoHelloError("the first frame must be hello")
    try:
        hello = _hello.decode(envelope.d)
    except BAD_BYTES as error:
        raise RemoteProtocolError(describe(error)) from None
    if m.PROTOCOL_VERSION not in hello.v:
        raise RefusedError(
            "no common protocol version", code="unsupported", hint=f"This server speaks {m.PROTOCOL_VERSION}."
        )
    return hello


def describe(error: Exception) -> str:
    """What is wrong with bytes from a client, without repeating any of them."""
    if isinstance(error, msgspec.ValidationError):
        return str(error)[:200]
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "not JSON"


def _host(host: str) -> str:
    """The host part of a Host header, if it looks like one: it goes back into the address of our STUN server."""
    name = re.sub(r":\d{1,5}$", "", host)
    return name if HOST.fullmatch(name) else "localhost"
