"""A TURN server of an engine (RFC 8656), and what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from peerline.engine.engine import Engine

__all__ = ["AllocationRow", "TurnEvent", "TurnListener"]


class TurnEvent(NamedTuple):
    """Something happened to an allocation: "allocated", "freed", or "asked" (may this user allocate?)."""

    kind: str
    handle: int
    subject: int
    """The allocation, or the question."""
    username: str
    why: str = ""
    """Of "freed": released, expired, disconnected, kicked."""
    usage: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Of "freed": packets up, bytes up, packets down, bytes down."""


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """One allocation of a TURN server, now."""

    handle: int
    allocation: int
    username: str
    transport: str
    client: str
    relayed: list[str]
    age_s: int
    left_s: int
    permissions: int
    channels: int
    usage: tuple[int, int, int, int]


class TurnListener:
    """A TURN server on all shards of an engine. `Engine.turn_listen` makes it."""

    def __init__(self, engine: Engine, handles: Sequence[int], addresses: Sequence[tuple[str, str, int]]) -> None:
        self._engine = engine
        self.handles = tuple(handles)
        self.addresses = tuple(addresses)
        """Transport, host and real port of each, in the order asked for."""

    def reload(self, settings: object) -> None:
        """New settings for clients that come from now on. Raises ValueError."""
        self._engine._core.turn_reload(self.handles, settings)

    def reload_certificate(self, chain: bytes, key: bytes) -> None:
        """For TLS connections that come from now on; both as PEM. Raises ValueError."""
        self._engine._core.turn_recertify(self.handles, (chain, key))

    def drain(self) -> None:
        """Allocate nothing more; allocations there are go on."""
        self._engine._core.turn_drain(self.handles)

    def kick(self, handle: int, allocation: int) -> None:
        """End an allocation; one that is gone already is no error."""
        self._engine._core.turn_kick(handle, allocation)

    def decide(self, event: TurnEvent, *, is_allowed: bool) -> None:
        """Answer an event "asked"; too late has no effect."""
        self._engine._core.turn_decide(event.handle, event.subject, is_allowed)

    async def allocations(self) -> list[AllocationRow]:
        """All allocations. Raises RuntimeError if the engine is closed or not attached to the running loop."""
        return await self._engine._list(self)

    def close(self) -> None:
        """End the server and all its allocations. Closing again does nothing."""
        if not self._engine.is_closed:
            for handle in self.handles:
                self._engine._core.close_handle(handle)
