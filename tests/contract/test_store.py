"""What every store must do: memory, SQLite, PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from peerline.errors import BackendError, ConfigError, RefusedError
from peerline.store import CallRow, Store, open_store
from peerline.store.journal import Journal

DAY_MS = 86_400_000
POSTGRES = os.environ.get("PEERLINE_TEST_POSTGRES_URL")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "postgres" and POSTGRES is None:
        pytest.skip("PEERLINE_TEST_POSTGRES_URL names no PostgreSQL server")
    urls = {"memory": None, "sqlite": f"sqlite:///{tmp_path / 'calls.sqlite'}", "postgres": POSTGRES}
    opened = open_store(urls[request.param], name_ttl_days=10)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def name() -> str:
    """A name that no other test has: a database may be shared."""
    return secrets.token_hex(6)


def row(caller: str, callee: str, **changes: object) -> CallRow:
    token = "0" + secrets.token_hex(13)[:25].upper()
    return replace(CallRow(token, caller, "ann", "Ann", callee, "bob", "Bob", "av", 1000), **changes)  # type: ignore[arg-type]


async def test_a_free_name_becomes_whose_key_asks_first(store: Store, name: str) -> None:
    id = await store.claim(name, name.title(), "hash", 1)
    assert await store.find(name) == (id, name.title())
    assert await store.claim(name, name.upper(), "hash", 2) == id
    assert await store.find(name) == (id, name.upper())


async def test_another_key_is_refused_as_taken(store: Store, name: str) -> None:
    await store.claim(name, name, "hash", 1)
    with pytest.raises(RefusedError) as refused:
        await store.claim(name, name, "other", 2)
    assert refused.value.code == "taken"
    assert refused.value.hint


async def test_a_token_vouches_for_a_name_that_a_key_then_cannot_take(store: Store, name: str) -> None:
    id = await store.claim(name, name, None, 1)
    assert await store.claim(name, name, None, 2) == id
    with pytest.raises(RefusedError):
        await store.claim(name, name, "hash", 3)


async def test_of_many_who_claim_a_name_at_once_one_gets_it(store: Store, name: str) -> None:
    claims = [store.claim(name, name, f"hash{n}", 1) for n in range(8)]
    results = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) == 1
    assert all(isinstance(result, str | RefusedError) for result in results)


async def test_a_name_long_unused_is_free_again_and_keeps_the_former_calls_apart(store: Store, name: str) -> None:
    former = await store.claim(name, name, "hash", 1)
    await store.put_call(row(former, "x", ended=1, why="offline"))
    later = await store.claim(name, name, "other", 1 + 11 * DAY_MS)
    assert later != former
    assert await store.history(later, None, 10) == []
    assert len(await store.history(former, None, 10)) == 1


async def test_an_unknown_name_is_not_found(store: Store, name: str) -> None:
    assert await store.find(name) is None


async def test_history_is_newest_first_and_pages(store: Store, name: str) -> None:
    rows = [row(name, "b", started=t) if t % 2 else row("b", name, started=t) for t in range(100, 110)]
    for one in rows:
        await store.put_call(one)
    await store.put_call(row("others", "others", started=105))
    assert await store.history(name, None, 100) == rows[::-1]
    assert await store.history(name, 105, 3) == [rows[4], rows[3], rows[2]]
    assert set(await store.history(None, None, 1000)) >= set(rows)


async def test_the_newest_row_of_a_call_counts(store: Store, name: str) -> None:
    first = row(name, "b")
    await store.put_call(first)
    await store.put_call(replace(first, answered=1100))
    await store.end_call(first.call, 1200, "hangup")
    await store.end_call(first.call, 1300, "lost")
    assert await store.history(name, None, 10) == [replace(first, answered=1100, ended=1200, why="hangup")]
    await store.end_call("0" * 26, 1, "lost")


async def test_missed_calls_come_until_they_are_seen(store: Store, name: str) -> None:
    missed = [
        row("a", name, started=t, ended=t, why=why)
        for t, why in enumerate(("offline", "busy", "dnd", "timeout", "cancelled"))
    ]
    others = [
        row("a", name, started=9, ended=9, why="declined"),
        row("a", name, started=9, answered=9, ended=10, why="hangup"),
        row(name, "b", started=9, ended=9, why="offline"),
        row("a", name, started=9),
    ]
    for one in missed + others:
        await store.put_call(one)
    assert await store.missed(name) == missed
    await store.mark_seen("somebody else", [missed[0].call])
    await store.mark_seen(name, [missed[0].call, missed[1].call, others[0].call])
    assert await store.missed(name) == missed[2:]


async def test_calls_that_never_ended_are_found(store: Store, name: str) -> None:
    open_call, ended = row(name, "b"), row(name, "b", ended=5, why="hangup")
    await store.put_call(open_call)
    await store.put_call(ended)
    found = {one.call for one in await store.open_calls()}
    assert open_call.call in found
    assert ended.call not in found


async def test_names_and_calls_are_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    first = open_store(url, name_ttl_days=10)
    await first.open()
    id = await first.claim("ann", "Ann", "hash", 1)
    await first.put_call(row(id, "b"))
    await first.close()
    second = open_store(url, name_ttl_days=10)
    await second.open()
    assert await second.claim("ann", "Ann", "hash", 2) == id
    assert len(await second.history(id, None, 10)) == 1
    await second.close()


async def test_a_database_that_cannot_be_opened_is_a_backend_error_with_a_hint(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}", name_ttl_days=10)
    with pytest.raises(BackendError) as failed:
        await store.open()
    assert failed.value.code == "unavailable"
    assert failed.value.hint
    await store.close()


def test_a_url_of_no_database_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        open_store("what is this", name_ttl_days=10)


async def test_the_journal_writes_in_order_and_waits_for_a_store_that_is_away() -> None:
    journal, written, failures = Journal(), [], [3]

    async def write(number: int) -> None:
        if number == 2 and failures[0]:
            failures[0] -= 1
            raise BackendError("away")
        written.append(number)

    for number in range(5):
        journal.put(lambda number=number: write(number))  # type: ignore[misc]
    await journal.flushed(10)
    assert written == [0, 1, 2, 3, 4]
    await journal.close()


async def test_one_record_that_cannot_be_written_does_not_stop_the_next() -> None:
    journal, written = Journal(), []

    async def bad() -> None:
        raise ValueError("no such column")

    async def good() -> None:
        written.append(1)

    journal.put(bad)
    journal.put(good)
    await journal.flushed(10)
    assert written == [1]
    await journal.close()
