"""One call: who, what, since when, and in which state."""

from __future__ import annotations

from dataclasses import dataclass, field

from peerline.calls.machine import CallInput, CallState, step
from peerline.errors import RefusedError
from peerline.signaling.messages import Medium
from peerline.signaling.person import Person
from peerline.signaling.session import Session
from peerline.signaling.timers import Timer


@dataclass(slots=True, eq=False)
class Side:
    """One of the two parties: the person, and the device once it is known which."""

    person: Person
    media: list[Medium]
    session: Session | None = None
    dev: str | None = None  # stays known while the session is away
    is_live: bool = True  # whether the device says that it has its peer connection

    def take(self, session: Session) -> None:
        """This device is the party."""
        self.session = session
        self.dev = session.dev


@dataclass(slots=True, eq=False)
class Call:
    """A call as the server knows it. Times: `started` and so on are milliseconds since 1970."""

    token: str
    caller: Side
    callee: Side
    started: int
    expires: int
    state: CallState = CallState.NEW
    answered: int | None = None
    ended: int | None = None
    why: str | None = None
    has_rung: bool = False
    is_adopted: bool = False  # a former process connected it: when it started is not known here
    rang: set[Session] = field(default_factory=set)
    declined: set[Session] = field(default_factory=set)
    timer: Timer | None = None

    def apply(self, event: CallInput) -> None:
        """Move on, or raise RefusedError: `gone` after the end, else `conflict`."""
        following = step(self.state, event)
        if following is None:
            if self.state is CallState.ENDED:
                raise RefusedError("this call is over", code="gone")
            raise RefusedError(f"not possible while the call is {self.state.value}", code="conflict")
        self.state = following

    def side_of(self, session: Session) -> Side | None:
        """The side this device is the party of, if any."""
        if self.caller.session is session:
            return self.caller
        if self.callee.session is session:
            return self.callee
        return None

    def other(self, side: Side) -> Side:
        """The other party."""
        return self.callee if side is self.caller else self.caller

    def cancel_timer(self) -> None:
        """No deadline any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
