"""Trickle ICE (RFC 8838): the first candidates go out as soon as they are found, later ones together every 50 ms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from peerline.client.bodies import MAX_CANDIDATES, PC, Cand, Candidate
from peerline.client.carriage import Clock

__all__ = ["CandidateBatch"]

# Those of this machine are found within a few milliseconds; with them the other side can begin.
_FIRST_S = 0.005
_GATHER_S = 0.05
# Longest time for which a description waits for its first candidate.
_HOLD_S = 0.02


class CandidateBatch:
    """Of one generation."""

    def __init__(self, g: int, send: Callable[[Cand], object], clock: Clock) -> None:
        self._g = g
        self._send = send
        self._clock = clock
        self._found: list[Candidate] = []
        self._timer: Any = None
        self._is_first = True
        self._is_complete = False
        self._is_held = False
        self._arrived = asyncio.Event()

    def add(self, candidate: Candidate) -> None:
        """One was found."""
        self._found.append(candidate)
        self._arrived.set()
        if not self._is_held and self._timer is None:
            self._timer = self._clock.call_later(_FIRST_S if self._is_first else _GATHER_S, self._flush)

    def complete(self) -> None:
        """Gathering is complete."""
        self._is_complete = True
        self._arrived.set()
        if not self._is_held:
            self._flush()

    def hold(self) -> None:
        """Keep candidates back until `release`."""
        self._is_held = True
        self._arrived.clear()

    async def first(self) -> None:
        """Wait while held until there is one, or no hope of one soon."""
        timer = self._clock.call_later(_HOLD_S, self._arrived.set)
        try:
            await self._arrived.wait()
        finally:
            timer.cancel()

    def release(self) -> None:
        """The description is on its way: so may they be."""
        self._is_held = False
        if self._found or self._is_complete:
            self._flush()

    def close(self) -> None:
        """Nothing is sent any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._found.clear()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        is_end = self._is_complete
        # The next gathering, after an ICE restart, has its own first candidates and its own end.
        self._is_first, self._is_complete = is_end, False
        found, self._found = self._found, []
        while len(found) > MAX_CANDIDATES:
            self._send(Cand(PC, self._g, found[:MAX_CANDIDATES]))
            found = found[MAX_CANDIDATES:]
        self._send(Cand(PC, self._g, found, is_end))
