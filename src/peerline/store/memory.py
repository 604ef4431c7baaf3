"""Everything in memory (`--no-db`): gone with the process, the same contract as the database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from peerline.auth.keys import same
from peerline.errors import RefusedError
from peerline.store.base import CallRow

DAY_MS = 86_400_000
FOREVER_MS = 1 << 62
MAX_CALLS = 10_000


@dataclass(slots=True)
class _Owner:
    id: str
    n: str
    key_hash: str | None
    seen: int


def refuse_taken(n: str) -> RefusedError:
    """The name belongs to somebody else."""
    return RefusedError(
        f"the name {n!r} is taken",
        code="taken",
        hint="Choose another name, or use the browser in which you registered it.",
    )


class MemoryStore:
    """A store without a disk; keeps the newest 10,000 calls."""

    def __init__(self, *, name_ttl_days: int = 365) -> None:
        self._ttl_ms = name_ttl_days * DAY_MS or FOREVER_MS
        self._owners: dict[str, _Owner] = {}
        self._calls: dict[str, CallRow] = {}

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def claim(self, u: str, n: str, key_hash: str | None, now: int) -> str:
        """See Store.claim."""
        owner = self._owners.get(u)
        if owner is None or now - owner.seen > self._ttl_ms:
            owner = self._owners[u] = _Owner(secrets.token_hex(8), n, key_hash, now)
        elif key_hash is not None and (owner.key_hash is None or not same(owner.key_hash, key_hash)):
            raise refuse_taken(n)
        owner.n, owner.seen = n, now
        return owner.id

    async def find(self, u: str) -> tuple[str, str] | None:
        """See Store.find."""
        owner = self._owners.get(u)
        return (owner.id, owner.n) if owner else None

    async def put_call(self, row: CallRow) -> None:
        """See Store.put_call."""
        self._calls[row.call] = row
        while len(self._calls) > MAX_CALLS:
            del self._calls[next(iter(self._calls))]

    async def end_call(self, call: str, ended: int, why: str) -> None:
        """See Store.end_call."""
        row = self._calls.get(call)
        if row is not None and row.ended is None:
            self._calls[call] = replace(row, ended=ended, why=why)

    async def history(self, person_id: str | None, before: int | None, limit: int) -> Sequence[CallRow]:
        """See Store.history."""
        rows = [
            row
            for row in self._calls.values()
            if (person_id is None or person_id in (row.caller_id, row.callee_id))
            and (before is None or row.started < before)
        ]
        rows.sort(key=lambda row: (row.started, row.call), reverse=True)
        return rows[:limit]

    async def missed(self, person_id: str) -> Sequence[CallRow]:
        """See Store.missed."""
        rows = [r for r in self._calls.values() if r.callee_id == person_id and r.is_missed and not r.is_seen]
        rows.sort(key=lambda row: (row.started, row.call))
        return rows[-100:]

    async def mark_seen(self, person_id: str, calls: Sequence[str]) -> None:
        """See Store.mark_seen."""
        for call in calls:
            row = self._calls.get(call)
            if row is not None and row.callee_id == person_id:
                self._calls[call] = replace(row, is_seen=True)

    async def open_calls(self) -> Sequence[CallRow]:
        """See Store.open_calls."""
        return [row for row in self._calls.values() if row.ended is None]
