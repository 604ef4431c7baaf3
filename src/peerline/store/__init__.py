"""What outlives the process: who owns which name, and the history of calls. Never descriptions or addresses."""

from __future__ import annotations

from peerline.store.base import CallRow, Store
from peerline.store.memory import MemoryStore, refuse_taken

__all__ = ["CallRow", "MemoryStore", "Store", "open_store", "refuse_taken"]


def open_store(url: str | None, *, name_ttl_days: int) -> Store:
    """The store for a database URL; None and "memory:" keep everything in memory."""
    if url is None or url == "memory:":
        return MemoryStore(name_ttl_days=name_ttl_days)
    from peerline.store.sql import SqlStore  # SQLAlchemy takes 150 ms to import

    return SqlStore(url, name_ttl_days=name_ttl_days)
