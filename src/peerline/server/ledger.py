"""Writes calls down and reads them back as the protocol shows them (docs/protocol.md, section 10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from peerline.calls.call import Call
from peerline.plugins import CallNews, Plugins
from peerline.signaling import messages as m
from peerline.store import CallRow, Store
from peerline.store.journal import Journal


class CallLedger:
    """Turns calls into rows, behind the back of the calls; tells when one was missed."""

    def __init__(self, store: Store, on_missed: Callable[[Call, CallRow], None], plugins: Plugins) -> None:
        self._store = store
        self._plugins = plugins
        self._on_missed = on_missed
        self.journal = Journal()

    def keep(self, call: Call) -> None:
        """See calls.switchboard.Ledger."""
        self._tell_plugins(call)
        if call.is_adopted:
            # A former process wrote down when it began; only its end is news.
            if call.ended is not None and call.why is not None:
                token, ended, why = call.token, call.ended, call.why
                self.journal.put(lambda: self._store.end_call(token, ended, why))
            return
        row = _row(call)
        self.journal.put(lambda: self._store.put_call(row))
        if row.is_missed:
            self._on_missed(call, row)

    def unreached(self, call: Call, u: str) -> None:
        """See calls.switchboard.Ledger: a missed call, if somebody owns the name."""
        self._tell_plugins(call)
        row = _row(call)

        async def write() -> None:
            owner = await self._store.find(u)
            if owner is not None:
                await self._store.put_call(replace(row, callee_id=owner[0], callee_n=owner[1]))

        self.journal.put(write)

    def _tell_plugins(self, call: Call) -> None:
        if call.ended is not None:
            self._plugins.call_ended(_news(call))
        elif call.answered is not None:
            self._plugins.call_started(_news(call))


def _news(call: Call) -> CallNews:
    caller, callee = call.caller, call.callee.person
    media = "".join(caller.media)
    return CallNews(call.token, caller.person.u, callee.u, media, call.started, call.answered, call.ended, call.why)


def _row(call: Call) -> CallRow:
    caller, callee = call.caller.person, call.callee.person
    return CallRow(
        call.token, caller.id, caller.u, caller.n, callee.id, callee.u, callee.n, "".join(call.caller.media),
        call.started, call.answered, call.ended, call.why,
    )  # fmt: skip


def history_of(person_id: str, rows: Sequence[CallRow]) -> m.History:
    """Rows as one of the two people sees them. Calls that were merged into another are left out."""
    entries = []
    for row in rows:
        if row.why == "merged":
            continue
        is_out = row.caller_id == person_id
        peer = m.Who(row.callee_u, row.callee_n) if is_out else m.Who(row.caller_u, row.caller_n)
        entries.append(
            m.HistoryEntry(
                row.call,
                "out" if is_out else "in",
                peer,
                media_of(row),
                row.started,
                row.answered,
                row.ended,
                row.why,
            )
        )
    return m.History(entries)


def missed_of(rows: Sequence[CallRow]) -> m.Missed:
    """Rows as the body of `missed`."""
    return m.Missed(
        [m.MissedCall(r.call, m.Who(r.caller_u, r.caller_n), media_of(r), r.started, r.why or "") for r in rows]
    )


def media_of(row: CallRow) -> list[m.Medium]:
    """ "av" as a list."""
    return [medium for medium in ("a", "v") if medium in row.media]
