"""Ids of records that stay the same from report to report (W3C WebRTC, section 8.4.1)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any
from weakref import WeakKeyDictionary


class Ids:
    """Those of one connection. Things are numbered by kind, in the order in which reports met them."""

    def __init__(self) -> None:
        self._of_things: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._of_keys: dict[Hashable, str] = {}
        self._last: dict[str, int] = {}

    def of(self, kind: str, thing: object) -> str:
        """Of an object: "T1", "T2" …; forgotten with it."""
        known = self._of_things.get(thing)
        if known is None:
            known = self._of_things[thing] = self._next(kind)
        return known

    def of_key(self, kind: str, *key: Hashable) -> str:
        """Of what these values name."""
        known = self._of_keys.get((kind, key))
        if known is None:
            known = self._of_keys[kind, key] = self._next(kind)
        return known

    def _next(self, kind: str) -> str:
        self._last[kind] = self._last.get(kind, 0) + 1
        return f"{kind}{self._last[kind]}"


_all: WeakKeyDictionary[Any, Ids] = WeakKeyDictionary()


def ids_of(connection: object) -> Ids:
    """The connection's, made with its first report."""
    return _all.setdefault(connection, Ids())
