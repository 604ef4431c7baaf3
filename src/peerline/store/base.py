"""The contract of every store; tests/contract/test_store.py holds for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# A callee sees these as missed calls (docs/protocol.md, section 10).
MISSED = frozenset({"offline", "busy", "dnd", "timeout", "cancelled"})


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as kept. Times are milliseconds since 1970; the ids are those of people."""

    call: str
    caller_id: str
    caller_u: str
    caller_n: str
    callee_id: str
    callee_u: str
    callee_n: str
    media: str  # "av", "a", "v" or ""
    started: int
    answered: int | None = None
    ended: int | None = None
    why: str | None = None
    is_seen: bool = False

    @property
    def is_missed(self) -> bool:
        """Whether the callee did not get to answer it."""
        return self.answered is None and self.why in MISSED


class Store(Protocol):
    """A place for names and calls. Every method raises BackendError if the place cannot be reached."""

    async def open(self) -> None:
        """Get ready: make tables, check the connection."""

    async def close(self) -> None:
        """Let go of everything."""

    async def claim(self, u: str, n: str, key_hash: str | None, now: int) -> str:
        """The id of the person who owns name `u`; a free name becomes theirs.

        `key_hash` None claims without a key (a token vouched for the name). Raises RefusedError `taken`.
        """

    async def find(self, u: str) -> tuple[str, str] | None:
        """Id and name of the person who owns `u`."""

    async def put_call(self, row: CallRow) -> None:
        """Keep a call, or what has become of it: the newest row of a token counts."""

    async def end_call(self, call: str, ended: int, why: str) -> None:
        """A call that is kept is over; nothing happens if it is not kept or ended before."""

    async def history(self, person_id: str | None, before: int | None, limit: int) -> Sequence[CallRow]:
        """Calls of a person (None: of everybody), newest first, that started before `before`."""

    async def missed(self, person_id: str) -> Sequence[CallRow]:
        """Missed calls that the person has not seen, oldest first, at most a hundred."""

    async def mark_seen(self, person_id: str, calls: Sequence[str]) -> None:
        """The person saw these."""

    async def open_calls(self) -> Sequence[CallRow]:
        """Calls that never ended: left over from a crash."""
