"""Calls that a returning client remembers (docs/protocol.md, section 9): rejoined, or taken up after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from peerline.calls.call import Call, Side
from peerline.calls.machine import CallState
from peerline.signaling.messages import Ended, EndReason, KnownCall
from peerline.signaling.session import Session, tail
from peerline.signaling.timers import Timer

if TYPE_CHECKING:
    from peerline.calls.switchboard import Switchboard

Verdict = Literal["ok", "wait", "gone"]


@dataclass(slots=True, eq=False)
class _Claim:
    """One side's story about a call this process does not know."""

    session: Session
    known: KnownCall
    timer: Timer


@dataclass(slots=True, frozen=True)
class _Goodbye:
    """One side hung up before the other had told its story."""

    u: str
    why: EndReason
    until: float


# More goodbyes than a restart leaves; whoever says thousands only makes others wait longer.
_MAX_GOODBYES = 4096


class WaitingRoom:
    """Where one side of a forgotten call waits for the other to tell the same story."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._claims: dict[str, _Claim] = {}
        self._goodbyes: dict[str, _Goodbye] = {}

    def tokens(self) -> set[str]:
        """The calls that wait for their other side."""
        return set(self._claims)

    def enter(self, session: Session, known: KnownCall, now: float) -> Verdict:
        """A client says that it has this call."""
        token = known.call
        if session.call not in (None, token) or self._board.is_over(token):
            return "gone"
        call = self._board.calls.get(token)
        if call is not None:
            return self._rejoin(session, call, known)
        claim = self._claims.get(token)
        if claim is None:
            timer = self._board.timers.at(now + self._board.sync_s, lambda now: self._end(token, "lost", now))
            self._claims[token] = _Claim(session, known, timer)
            session.call = token
            session.person.calls.add(token)
            goodbye = self._goodbyes.pop(token, None)
            if goodbye is not None and goodbye.u == known.peer and now < goodbye.until:
                self._end(token, goodbye.why, now)
            return "wait"
        if claim.session is session:
            return "wait"
        if claim.session.person is session.person and claim.session.dev == session.dev:
            claim.session, claim.known = session, known
            session.call = token
            return "wait"
        if not self._tell_the_same(claim, session, known):
            return "gone"
        self._drop(token)
        self._board.adopt(self._build(claim, session, known), now)
        return "ok"

    def leave(self, session: Session, token: str | None, why: EndReason, now: float) -> bool:
        """The side that waits hangs up or goes. False if it does not wait for this call."""
        claim = self._claims.get(token) if token is not None else None
        if token is None or claim is None or claim.session is not session:
            return False
        self._drop(token)
        session.call = None
        self._board.remember(token, why, now)
        return True

    def waits(self, session: Session, token: str) -> bool:
        """Whether this side waits for the other of this call."""
        claim = self._claims.get(token)
        return claim is not None and claim.session is session

    def part(self, session: Session, token: str, why: EndReason, now: float) -> bool:
        """Somebody hung up while the server was away, and says so now. True if the other side waits, and learns it.

        If it does not wait yet, it learns it when it tells its story.
        """
        claim = self._claims.get(token)
        if claim is not None:
            if claim.known.peer != session.person.u or claim.session.person is session.person:
                return False
            self._end(token, why, now)
            return True
        if not self._board.is_over(token):
            self._goodbyes[token] = _Goodbye(session.person.u, why, now + self._board.sync_s)
            if len(self._goodbyes) > _MAX_GOODBYES:
                del self._goodbyes[next(iter(self._goodbyes))]
        return False

    def forget(self, session: Session) -> None:
        """The side that waits may come back in a new session: it may tell its story again."""
        claim = self._claims.get(session.call) if session.call is not None else None
        if claim is not None and claim.session is session:
            self._drop(claim.known.call)

    def _rejoin(self, session: Session, call: Call, known: KnownCall) -> Verdict:
        side = call.caller if known.role == "caller" else call.callee
        other = call.other(side)
        if (
            call.state is not CallState.UP
            or side.person is not session.person
            or side.dev != session.dev
            or other.person.u != known.peer
        ):
            return "gone"
        side.take(session)
        side.is_live = known.live
        session.call = call.token
        if other.session is None:
            return "wait"
        call.cancel_timer()
        self._board.announce(call, again=True)
        return "ok"

    @staticmethod
    def _tell_the_same(claim: _Claim, session: Session, known: KnownCall) -> bool:
        first = claim.known
        return (
            {first.role, known.role} == {"caller", "callee"}
            and first.peer == session.person.u
            and known.peer == claim.session.person.u
            and claim.session.person is not session.person
        )

    def _build(self, claim: _Claim, session: Session, known: KnownCall) -> Call:
        sides: dict[str, Side] = {}
        for one, story in ((claim.session, claim.known), (session, known)):
            side = sides[story.role] = Side(one.person, story.media, is_live=story.live)
            side.take(one)
        wall = self._board.wall_ms()
        return Call(known.call, sides["caller"], sides["callee"], wall, wall, answered=wall)

    def _end(self, token: str, why: EndReason, now: float) -> None:
        """Nobody comes back to the side that waits, and it is told why."""
        claim = self._drop(token)
        if claim is not None:
            claim.session.call = None
            self._board.remember(token, why, now)
            self._board.send(claim.session, tail("end", Ended(why), call=token))

    def _drop(self, token: str) -> _Claim | None:
        claim = self._claims.pop(token, None)
        if claim is not None:
            claim.timer.cancel()
            claim.session.person.calls.discard(token)
        return claim
