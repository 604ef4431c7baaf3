"""Who is there, as the server tells it (docs/protocol.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from peerline.client.change import Change
from peerline.signaling.messages import PersonShown

__all__ = ["People"]


class People(Mapping[str, PersonShown]):
    """Everybody present, oneself included, by canonical name: `u`, name `n`, presence `st`."""

    def __init__(self) -> None:
        self._by_name: dict[str, PersonShown] = {}
        self._change = Change()
        self._version = 0

    def __getitem__(self, u: str) -> PersonShown:
        return self._by_name[u]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    async def changed(self) -> None:
        """Wait for the next news."""
        seen = self._version
        await self._change.until(lambda: self._version != seen)

    def replace(self, people: Iterable[PersonShown]) -> None:
        """Everybody present, in answer to `watch`."""
        self._by_name.clear()
        self.merge(people)

    def merge(self, people: Iterable[PersonShown]) -> None:
        """What has changed."""
        for person in people:
            if person.st == "offline":
                self._by_name.pop(person.u, None)
            else:
                self._by_name[person.u] = person
        self._version += 1
        self._change.tell()
