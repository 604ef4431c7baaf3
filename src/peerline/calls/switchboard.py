"""Moves calls through their states and tells both sides (docs/protocol.md, section 7). No I/O: time is an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Protocol

from peerline.auth.names import has_invisible
from peerline.calls.call import Call, Side
from peerline.calls.machine import CallInput, CallState
from peerline.calls.waiting import WaitingRoom
from peerline.calls.way import Way
from peerline.errors import RefusedError, RemoteProtocolError
from peerline.presence.roster import Roster
from peerline.signaling.messages import (
    Accept,
    Cancel,
    Decline,
    End,
    Ended,
    EndReason,
    KnownCall,
    Medium,
    PlaceCall,
    Ring,
    Ringing,
    Stop,
    Synced,
    Up,
)  # fmt: skip
from peerline.signaling.person import Person
from peerline.signaling.session import Session, tail
from peerline.signaling.timers import Timers

# How long an ended call's token is remembered: a repeated request gets `gone`, not a new call.
REMEMBER_S = 120.0


class Ledger(Protocol):
    """Where calls are written down."""

    def keep(self, call: Call) -> None:
        """The call began, or something about it changed."""

    def unreached(self, call: Call, u: str) -> None:
        """The call ended before a present person was found: `u` may own the name all the same."""


class Switchboard:
    """All calls of one server, by token."""

    def __init__(
        self,
        roster: Roster,
        timers: Timers,
        ledger: Ledger,
        *,
        wall_ms: Callable[[], int],
        ring_s: float = 45.0,
        hold_s: float = 20.0,
        sync_s: float = 60.0,
        linger_s: float = 5.0,
    ) -> None:
        self._roster = roster
        self._timers = timers
        self._ledger = ledger
        self._wall_ms = wall_ms
        self._ring_ms = int(ring_s * 1000)
        self._hold_s = hold_s
        self._sync_s = sync_s
        self._linger_s = linger_s
        self.calls: dict[str, Call] = {}  # not ended
        self._over: dict[str, EndReason] = {}  # ended lately
        self._waiting = WaitingRoom(self)
        self._transmits: list[tuple[Session, bytes]] = []
        self.ended_total: dict[str, int] = {}

    def waiting_tokens(self) -> set[str]:
        """Calls that only one side has told of so far."""
        return self._waiting.tokens()

    def poll_transmits(self) -> list[tuple[Session, bytes]]:
        """What is to be sent, in order; after the answer to the request that caused it."""
        transmits, self._transmits = self._transmits, []
        return transmits

    # What clients ask for --------------------------------------------------------------------------

    def place(self, session: Session, token: str, ask: PlaceCall, now: float) -> Ringing:
        """`call`. Raises RefusedError `offline`, `busy`, `dnd`, `conflict`, `gone`."""
        caller = session.person
        if (known := self.calls.get(token)) is not None:
            if known.caller.session is session:
                return Ringing(known.expires)
            raise RefusedError("this call token is used", code="conflict", hint="Make a new token for each call.")
        if token in self._over:
            raise RefusedError("this call is over", code="gone")
        if session.call is not None:
            raise RefusedError("this device is in a call", code="conflict", hint="Hang up first.")
        u = ask.to.removeprefix("u/")
        if has_invisible(u):
            raise RemoteProtocolError("nobody can have this name")
        if u == caller.u:
            raise RemoteProtocolError("nobody can call themselves", hint="Open a second window under another name.")
        wall = self._wall_ms()
        ttl_ms = ask.ttl_ms if isinstance(ask.ttl_ms, int) else self._ring_ms
        callee = self._roster.get(u)
        side = Side(caller, ask.media)
        side.take(session)
        if callee is None:
            absent = Call(token, side, Side(Person("", u, u), []), wall, wall)
            self._refuse(absent, "offline", "they are not here", now)
        call = Call(token, side, Side(callee, []), wall, wall + ttl_ms)
        devices = callee.reachable(now, self._linger_s)
        if not devices:
            self._refuse(call, "offline", "they are not here", now)
        if (crossing := self._crossing(caller, callee)) is not None:
            return self._meet(call, crossing, now)
        if callee.chosen == "dnd":
            self._refuse(call, "dnd", "they do not want to be disturbed", now)
        if callee.u in self._roster.takes_many:
            devices = [device for device in devices if device.call is None]
        if not devices or (callee.calls and callee.u not in self._roster.takes_many):
            self._refuse(call, "busy", "they are in a call", now)
        self._begin(call)
        call.apply(CallInput.REACHED)
        call.timer = self._timers.at(now + ttl_ms / 1000, lambda now: self._time_out(call, now))
        for device in devices:
            self._ring(call, device)
        self._ledger.keep(call)
        return Ringing(call.expires)

    def rung(self, session: Session, token: str) -> None:
        """`rung`: passed on to the caller once."""
        call = self._known(token)
        if session not in call.rang:
            raise self._no_party()
        if call.state is CallState.RINGING and not call.has_rung and call.caller.session is not None:
            call.has_rung = True
            self.send(call.caller.session, tail("rung", call=token, head=session.person.stamp))

    def accept(self, session: Session, token: str, ask: Accept, now: float) -> None:
        """`accept`: the first device wins. Raises RefusedError `gone` for the others."""
        call = self._known(token)
        if session.person is not call.callee.person:
            raise self._no_party()
        if call.state is CallState.UP:
            if call.callee.session is session:
                return
            raise RefusedError("answered on another device", code="gone")
        if session.call is not None:
            raise RefusedError("this device is in a call", code="conflict", hint="Hang up first.")
        call.apply(CallInput.ACCEPT)
        self._connect(call, session, ask.media, now)

    def decline(self, session: Session, token: str, ask: Decline, now: float) -> None:
        """`decline`, for the person or for one device."""
        call = self._known(token)
        if session.person is not call.callee.person:
            raise self._no_party()
        if ask.scope == "device" and call.state is CallState.RINGING:
            call.declined.add(session)
            if any(s not in call.declined for s in session.person.reachable(now, self._linger_s)):
                return
        call.apply(CallInput.DECLINE)
        self._finish(call, "busy" if ask.why == "busy" else "declined", now, by=session)

    def cancel(self, session: Session, token: str, _ask: Cancel, now: float) -> None:
        """`cancel`, by the caller, before `up`."""
        call = self._known(token)
        if call.caller.session is not session:
            raise self._no_party()
        call.apply(CallInput.CANCEL)
        self._finish(call, "cancelled", now, by=session)

    def end(self, session: Session, token: str, ask: End, now: float) -> None:
        """`end`, by either party; from the caller before `up` it cancels."""
        if self._waiting.leave(session, token, ask.why, now):
            return
        if token not in self.calls and self._waiting.part(session, token, ask.why, now):
            return
        call = self._known(token)
        if call.side_of(session) is None:
            raise self._no_party()
        if call.state is CallState.RINGING:
            call.apply(CallInput.CANCEL)
            self._finish(call, "cancelled", now, by=session)
        else:
            call.apply(CallInput.HANGUP)
            self._finish(call, ask.why, now, by=session)

    def no_way(self, session: Session, token: str) -> RefusedError:
        """Why this device cannot say anything to the other party of a call: `gone`, `conflict` or `forbidden`."""
        if self._waiting.waits(session, token) or self._known(token).side_of(session) is not None:
            return RefusedError("the call is not up", code="conflict")
        return self._no_party()

    def sync(self, session: Session, known: list[KnownCall], now: float) -> Synced:
        """`sync`: take calls up again after a restart or a crash."""
        return Synced({k.call: self._waiting.enter(session, k, now) for k in known})

    # What happens to sessions ----------------------------------------------------------------------

    def arrived(self, session: Session) -> None:
        """A device is there, or there again: what rings at its person's others rings here too."""
        for call in self._ringing_at(session.person):
            if session not in call.rang and session not in call.declined:
                self._ring(call, session)

    def is_up(self, session: Session) -> bool:
        """Whether this device is in a call that both sides know."""
        call = self.calls.get(session.call) if session.call is not None else None
        return call is not None and call.state is CallState.UP

    def left(self, session: Session, now: float, *, why: EndReason, may_return: bool = False) -> None:
        """A session is over. `may_return`: the device may come back in a new session and `sync`."""
        if may_return:
            self._waiting.forget(session)
        else:
            self._waiting.leave(session, session.call, why, now)
        token, session.call = session.call, None
        session.way = None
        call = self.calls.get(token) if token is not None else None
        if call is not None:
            if call.state is CallState.RINGING:
                call.apply(CallInput.CANCEL)
                self._finish(call, "cancelled", now, by=session)
            elif may_return:
                self._hold(call, session, now)
            else:
                call.apply(CallInput.LOSE if why == "lost" else CallInput.HANGUP)
                self._finish(call, why, now, by=session)
        others = [s for s in session.person.reachable(now, self._linger_s) if s is not session]
        for ringing in self._ringing_at(session.person):
            ringing.rang.discard(session)
            if others and all(s in ringing.declined for s in others):
                ringing.apply(CallInput.DECLINE)
                self._finish(ringing, "declined", now)
        if not others:
            self.unreachable(session.person, now)

    def unreachable(self, person: Person, now: float) -> None:
        """No device of this person can be rung any more: whoever calls them waits in vain."""
        for call in self._ringing_at(person):
            call.apply(CallInput.LEAVE)
            self._finish(call, "offline", now)

    def send(self, session: Session, text: bytes) -> None:
        """Keep an envelope's text for `poll_transmits`."""
        self._transmits.append((session, text))

    # Inside ----------------------------------------------------------------------------------------

    def _ringing_at(self, person: Person) -> list[Call]:
        """The calls that ring at this person's devices."""
        calls = [self.calls.get(token) for token in person.calls]
        return [c for c in calls if c is not None and c.state is CallState.RINGING and c.callee.person is person]

    def _known(self, token: str) -> Call:
        call = self.calls.get(token)
        if call is None:
            raise RefusedError("this call is over, or never was", code="gone")
        return call

    @staticmethod
    def _no_party() -> RefusedError:
        return RefusedError("this device is no party to the call", code="forbidden")

    def _refuse(self, call: Call, code: EndReason, message: str, now: float) -> NoReturn:
        call.apply(CallInput.REFUSE)
        call.ended, call.why = self._wall_ms(), code
        self._remember(call.token, code, now)
        if call.callee.person.id:
            self._ledger.keep(call)
        else:
            self._ledger.unreached(call, call.callee.person.u)
        raise RefusedError(message, code=code)

    def _crossing(self, caller: Person, callee: Person) -> Call | None:
        """A call that the callee is making to the caller at this moment."""
        for token in callee.calls:
            call = self.calls.get(token)
            if (
                call is not None
                and call.state is CallState.RINGING
                and call.caller.person is callee
                and call.callee.person is caller
            ):
                return call
        return None

    def _meet(self, mine: Call, theirs: Call, now: float) -> Ringing:
        """Glare: the lower token stays, whoever came first, so that both sides know without asking."""
        session, other = mine.caller.session, theirs.caller.session
        assert session is not None
        assert other is not None
        stays, goes = (theirs, mine) if theirs.token < mine.token else (mine, theirs)
        if goes is theirs:
            goes.apply(CallInput.MERGE)
            other.call = None
            self._finish(goes, "merged", now, into=stays.token)
            self._begin(stays)
            stays.apply(CallInput.REACHED)
            stays.apply(CallInput.MEET)
            self._connect(stays, other, goes.caller.media, now)
        else:
            self._remember(goes.token, "merged", now)
            stays.apply(CallInput.MEET)
            self.send(session, tail("end", Ended("merged", stays.token), call=goes.token))
            self._connect(stays, session, goes.caller.media, now)
        return Ringing(mine.expires)

    def _begin(self, call: Call) -> None:
        self.calls[call.token] = call
        call.caller.person.calls.add(call.token)
        call.callee.person.calls.add(call.token)
        assert call.caller.session is not None
        call.caller.session.call = call.token

    def _ring(self, call: Call, device: Session) -> None:
        call.rang.add(device)
        body = Ring(call.caller.media, call.expires, self._wall_ms())
        self.send(device, tail("ring", body, call=call.token, head=call.caller.person.stamp))

    def _connect(self, call: Call, session: Session, media: list[Medium], now: float) -> None:
        """Both sides are known: no more ringing, `up` to both."""
        call.cancel_timer()
        call.callee.media = media
        call.callee.take(session)
        session.call = call.token
        call.answered = self._wall_ms()
        self._stop_ringing(call, "elsewhere", session)
        for person in (call.caller.person, call.callee.person):
            person.calls_up += 1
            self._roster.touch(person, now)
        self.announce(call, again=False)
        self._ledger.keep(call)

    def announce(self, call: Call, *, again: bool) -> None:
        """Send `up` to both and open the way between them."""
        fresh = again and not (call.caller.is_live and call.callee.is_live)
        for side in (call.callee, call.caller):
            other = call.other(side)
            assert side.session is not None
            side.session.way = Way(call.token, other, side.person.stamp)
            body = Up(other.person.who, side is call.callee, other.media, again, fresh)
            self.send(side.session, tail("up", body, call=call.token))
        call.caller.is_live = call.callee.is_live = True

    def adopt(self, call: Call, now: float) -> None:
        """Take up a call that a former process connected: both sides told the same story."""
        call.state = CallState.UP
        call.is_adopted = True
        self.calls[call.token] = call
        for side in (call.caller, call.callee):
            assert side.session is not None
            side.session.call = call.token
            side.person.calls.add(call.token)
            side.person.calls_up += 1
            self._roster.touch(side.person, now)
        self.announce(call, again=True)

    def _hold(self, call: Call, session: Session, now: float) -> None:
        """A party's session was replaced by a fresh one of the same device: wait for its `sync`."""
        side = call.side_of(session)
        assert side is not None
        side.session = None
        side.is_live = False
        call.cancel_timer()
        call.timer = self._timers.at(now + self._hold_s, lambda now: self.lose(call, now))

    def lose(self, call: Call, now: float) -> None:
        """A side is gone for good."""
        call.apply(CallInput.LOSE)
        self._finish(call, "lost", now)

    def _time_out(self, call: Call, now: float) -> None:
        call.apply(CallInput.TIMEOUT)
        self._finish(call, "timeout", now)

    def _stop_ringing(self, call: Call, why: str, but: Session | None) -> None:
        for device in call.rang:
            if device is not but:
                self.send(device, tail("stop", Stop(why), call=call.token))  # type: ignore[arg-type]
        call.rang.clear()

    def _finish(
        self, call: Call, why: EndReason, now: float, *, by: Session | None = None, into: str | None = None
    ) -> None:
        """The call is over: tell everybody but the device that ended it, write it down, forget it."""
        was_up = call.answered is not None
        call.cancel_timer()
        call.ended, call.why = self._wall_ms(), why
        self._stop_ringing(call, "declined" if why == "busy" else why, by)
        news = tail("end", Ended(why, into), call=call.token)
        for side in (call.caller, call.callee):
            side.person.calls.discard(call.token)
            if side.session is not None:
                if side.session.call == call.token:
                    side.session.call = None
                    side.session.way = None
                if side.session is not by:
                    self.send(side.session, news)
            if was_up:
                side.person.calls_up -= 1
                self._roster.touch(side.person, now)
        self.calls.pop(call.token, None)
        self._remember(call.token, why, now)
        self._ledger.keep(call)

    def _remember(self, token: str, why: EndReason, now: float) -> None:
        self.ended_total[why] = self.ended_total.get(why, 0) + 1
        self.remember(token, why, now)

    def remember(self, token: str, why: EndReason, now: float) -> None:
        """The token is used up, and nobody can take the call up again."""
        self._over[token] = why
        self._timers.at(now + REMEMBER_S, lambda _: self._forget(token))

    def _forget(self, token: str) -> None:
        self._over.pop(token, None)

    def is_over(self, token: str) -> bool:
        """Whether the call of this token ended lately."""
        return token in self._over

    @property
    def sync_s(self) -> float:
        """How long one side of a forgotten call waits for the other."""
        return self._sync_s

    @property
    def timers(self) -> Timers:
        """The server's deadlines."""
        return self._timers

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return self._wall_ms()
