"""A person who is present: a name, their devices' sessions, their calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from peerline.signaling.messages import ChosenPresence, Who

if TYPE_CHECKING:
    from peerline.signaling.session import Session


class Person:
    """Somebody registered under a name; `stamp` is the `from` that the server writes on what they send."""

    __slots__ = ("calls", "calls_up", "chosen", "id", "n", "sessions", "stamp", "u", "who")

    def __init__(self, id: str, u: str, n: str) -> None:
        self.id = id  # of the store; a name that changes hands gets a new one
        self.u = u
        self.n = n
        self.who = Who(u, n)
        self.stamp = b',"from":%b' % msgspec.json.encode(self.who)
        self.chosen: ChosenPresence = "online"
        self.sessions: dict[str, Session] = {}  # by device id
        self.calls: set[str] = set()  # tokens of calls that are not over
        self.calls_up = 0

    def reachable(self, now: float, linger_s: float) -> list[Session]:
        """The devices that are here, or lost their socket no more than `linger_s` ago."""
        return [s for s in self.sessions.values() if s.lost is None or now - s.lost < linger_s]
