"""The people who are present and those who watch the list (docs/protocol.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterator

from peerline.signaling.messages import ChosenPresence, People, PersonShown, ShownPresence
from peerline.signaling.person import Person
from peerline.signaling.session import Session, tail
from peerline.signaling.timers import Timers

# At most four news a second: a hundred people arriving at once are one message, not a hundred.
COALESCE_S = 0.25


class Roster:
    """All present people by canonical name. Tells the watchers what changed, coalesced."""

    def __init__(self, timers: Timers, linger_s: float) -> None:
        self._timers = timers
        self._linger_s = linger_s
        # Robots: each of their devices takes a call, and they are busy when none is left.
        self.takes_many: set[str] = set()
        self._people: dict[str, Person] = {}
        self._watchers: set[Session] = set()
        self._shown: dict[str, PersonShown] = {}  # what watchers were told, by canonical name
        self._changed: set[str] = set()

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people.values())

    def __len__(self) -> int:
        return len(self._people)

    def get(self, u: str) -> Person | None:
        """The person of this canonical name, if they have a session."""
        return self._people.get(u)

    def add(self, person: Person, now: float) -> None:
        """A person has their first session."""
        self._people[person.u] = person
        self.touch(person, now)

    def remove(self, person: Person, now: float) -> None:
        """A person has no session any more."""
        if self._people.get(person.u) is person:
            del self._people[person.u]
            self.touch(person, now)

    def choose(self, person: Person, st: ChosenPresence, now: float) -> None:
        """The person says how they want to be shown."""
        if person.chosen != st:
            person.chosen = st
            self.touch(person, now)

    def presence(self, person: Person, now: float) -> ShownPresence:
        """How a person is shown: do not disturb beats in a call beats what they chose."""
        if not person.reachable(now, self._linger_s):
            return "offline"
        if person.chosen == "dnd":
            return "dnd"
        return "call" if person.calls_up and person.u not in self.takes_many else person.chosen

    def shown(self, now: float) -> list[PersonShown]:
        """Everybody who is present, by name."""
        people = [PersonShown(p.u, p.n, self.presence(p, now)) for p in self._people.values()]
        return sorted((p for p in people if p.st != "offline"), key=lambda p: p.u)

    def watch(self, session: Session, now: float) -> People:
        """Begin to watch: the list as it is."""
        self._flush(now)  # so that the news a new watcher gets begins where its list ends
        session.is_watching = True
        self._watchers.add(session)
        return People(self.shown(now))

    def unwatch(self, session: Session) -> None:
        """Stop watching."""
        session.is_watching = False
        self._watchers.discard(session)

    def touch(self, person: Person, now: float) -> None:
        """Something about this person may look different now."""
        if not self._changed:
            self._timers.at(now + COALESCE_S, self._flush)
        self._changed.add(person.u)

    def _flush(self, now: float) -> None:
        changed, self._changed = self._changed, set()
        news: list[PersonShown] = []
        for u in sorted(changed):
            person = self._people.get(u)
            before = self._shown.get(u)
            st = self.presence(person, now) if person is not None else "offline"
            if person is not None and st != "offline":
                after = PersonShown(u, person.n, st)
                if after == before:
                    continue
                self._shown[u] = after
            elif before is not None:
                del self._shown[u]
                after = PersonShown(u, before.n, "offline")
            else:
                continue
            news.append(after)
        if news and self._watchers:
            text = tail("pres", People(news))
            for session in list(self._watchers):
                session.send(text)
