"""Names and calls in SQLite or PostgreSQL, through SQLAlchemy's asyncio engine."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    MetaData,
    String,
    Table,
    and_,
    event,
    insert,
    or_,
    select,
    update,
)  # fmt: skip
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from peerline.auth.keys import same
from peerline.errors import BackendError, ConfigError
from peerline.store.base import MISSED, CallRow
from peerline.store.memory import DAY_MS, FOREVER_MS, refuse_taken

metadata = MetaData()

# A name that changed hands has `u` NULL in the old row: its calls stay with the person who made them.
people = Table(
    "people",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("u", String(256), unique=True),
    Column("n", String(256), nullable=False),
    Column("key_hash", String(64)),
    Column("seen", BigInteger, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("call", String(26), primary_key=True),
    Column("caller_id", String(16), nullable=False),
    Column("caller_u", String(256), nullable=False),
    Column("caller_n", String(256), nullable=False),
    Column("callee_id", String(16), nullable=False),
    Column("callee_u", String(256), nullable=False),
    Column("callee_n", String(256), nullable=False),
    Column("media", String(2), nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("answered", BigInteger),
    Column("ended", BigInteger),
    Column("why", String(16)),
    Column("is_seen", Boolean, nullable=False, default=False),
    Index("calls_by_caller", "caller_id", "started"),
    Index("calls_by_callee", "callee_id", "started"),
    Index("calls_by_time", "started"),
)


class SqlStore:
    """A store in a database that SQLAlchemy speaks to asynchronously."""

    def __init__(self, url: str, *, name_ttl_days: int = 365) -> None:
        self._ttl_ms = name_ttl_days * DAY_MS or FOREVER_MS
        try:
            self._engine = create_async_engine(_with_async_driver(url), pool_pre_ping=True, hide_parameters=True)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise ConfigError(
                "the database URL cannot be used",
                hint="For example sqlite:///FILE, or postgresql://host/db with pip install 'peerline[postgres]'.",
            ) from error
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _tune_sqlite)

    async def open(self) -> None:
        """Make the tables that are not there."""
        async with self._begin() as db:
            await db.run_sync(metadata.create_all)

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def claim(self, u: str, n: str, key_hash: str | None, now: int) -> str:
        """See Store.claim."""
        for _ in range(3):
            try:
                async with self._begin() as db:
                    return await self._claim(db, u, n, key_hash, now)
            except IntegrityError:
                continue  # somebody else claimed it in the same moment: look again who
        raise BackendError("the name could not be claimed")

    async def _claim(self, db: AsyncConnection, u: str, n: str, key_hash: str | None, now: int) -> str:
        row = (await db.execute(select(people).where(people.c.u == u))).one_or_none()
        if row is not None and now - row.seen > self._ttl_ms:
            await db.execute(update(people).where(people.c.id == row.id).values(u=None))
            row = None
        if row is None:
            id = secrets.token_hex(8)
            await db.execute(insert(people).values(id=id, u=u, n=n, key_hash=key_hash, seen=now))
            return id
        if key_hash is not None and (row.key_hash is None or not same(row.key_hash, key_hash)):
            raise refuse_taken(n)
        await db.execute(update(people).where(people.c.id == row.id).values(n=n, seen=now))
        return str(row.id)

    async def find(self, u: str) -> tuple[str, str] | None:
        """See Store.find."""
        async with self._begin() as db:
            row = (await db.execute(select(people.c.id, people.c.n).where(people.c.u == u))).one_or_none()
        return (row.id, row.n) if row is not None else None

    async def put_call(self, row: CallRow) -> None:
        """See Store.put_call."""
        values = {name: getattr(row, name) for name in CallRow.__slots__}
        async with self._begin() as db:
            changed = await db.execute(update(calls).where(calls.c.call == row.call).values(values))
            if changed.rowcount == 0:
                await db.execute(insert(calls).values(values))

    async def end_call(self, call: str, ended: int, why: str) -> None:
        """See Store.end_call."""
        async with self._begin() as db:
            await db.execute(
                update(calls).where(calls.c.call == call, calls.c.ended.is_(None)).values(ended=ended, why=why)
            )

    async def history(self, person_id: str | None, before: int | None, limit: int) -> Sequence[CallRow]:
        """See Store.history."""
        query = select(calls).order_by(calls.c.started.desc(), calls.c.call.desc()).limit(limit)
        if person_id is not None:
            query = query.where(or_(calls.c.caller_id == person_id, calls.c.callee_id == person_id))
        if before is not None:
            query = query.where(calls.c.started < before)
        return await self._rows(query)

    async def missed(self, person_id: str) -> Sequence[CallRow]:
        """See Store.missed."""
        is_missed = and_(calls.c.answered.is_(None), calls.c.why.in_(MISSED), calls.c.is_seen.is_(False))
        query = select(calls).where(calls.c.callee_id == person_id, is_missed)
        rows = await self._rows(query.order_by(calls.c.started.desc(), calls.c.call.desc()).limit(100))
        return rows[::-1]

    async def mark_seen(self, person_id: str, tokens: Sequence[str]) -> None:
        """See Store.mark_seen."""
        async with self._begin() as db:
            mine = and_(calls.c.callee_id == person_id, calls.c.call.in_(tokens))
            await db.execute(update(calls).where(mine).values(is_seen=True))

    async def open_calls(self) -> Sequence[CallRow]:
        """See Store.open_calls."""
        return await self._rows(select(calls).where(calls.c.ended.is_(None)))

    async def _rows(self, query: Any) -> list[CallRow]:
        async with self._begin() as db:
            return [CallRow(*row) for row in (await db.execute(query)).all()]

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; what goes wrong with the database becomes BackendError."""
        try:
            async with self._engine.begin() as db:
                yield db
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError) as error:
            raise BackendError(
                "the database cannot be used now",
                retryable=not _is_refused(error),
                hint="Is it running, and is there room on its disk?",
            ) from error


def _is_refused(error: Exception) -> bool:
    """The database is there and does not want this: it will not want it later either."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    return isinstance(error, DataError | ProgrammingError) or state[:2] in ("22", "42")


def _with_async_driver(url: str) -> str:
    for scheme, driver in (("sqlite:", "sqlite+aiosqlite:"), ("postgresql:", "postgresql+asyncpg:"),
                           ("postgres:", "postgresql+asyncpg:")):  # fmt: skip
        if url.startswith(scheme):
            return driver + url.removeprefix(scheme)
    return url


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # WAL: readers and the one writer do not wait for each other. NORMAL: a power cut may lose the last
    # call's row, never the file.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()
