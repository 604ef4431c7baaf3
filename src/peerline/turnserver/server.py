"""A TURN server in this process: started, watched, changed and stopped from asyncio."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from peerline.engine import AllocationRow, Engine, TurnEvent, TurnListener
from peerline.metrics import Sample
from peerline.turnserver.settings import TurnSettings

log = logging.getLogger("peerline.turn")

# So many users are remembered with what they have relayed; the one that was active longest ago goes first.
MAX_USERS = 10_000


@dataclass(slots=True)
class Usage:
    """What one user has relayed with allocations that are over."""

    allocations: int = 0
    packets_up: int = 0
    bytes_up: int = 0
    packets_down: int = 0
    bytes_down: int = 0


class TurnServer:
    """Owns one TURN listener of an engine. The engine must be attached to the running loop."""

    def __init__(
        self,
        engine: Engine,
        settings: TurnSettings,
        *,
        decides: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        """`decides` is asked with the user name before each allocation; no answer within 5 s means no."""
        self._engine = engine
        self._settings = dataclasses.replace(settings, asks_owner=decides is not None)
        self._decides = decides
        self._deciding: set[asyncio.Task[None]] = set()
        self._listener: TurnListener | None = None
        self.usage: dict[str, Usage] = {}

    def listen(
        self,
        listen: Sequence[tuple[str, str, int]],
        relays: Sequence[tuple[str, str]],
        ports: tuple[int, int],
        *,
        certificate: tuple[bytes, bytes] | None = None,
    ) -> Sequence[tuple[str, str, int]]:
        """Start. Returns transport, host and real port of each. Raises as `Engine.turn_listen` does."""
        self._listener = self._engine.turn_listen(
            listen, relays, ports, self._settings, self._on_event, certificate=certificate
        )
        return self._listener.addresses

    @property
    def settings(self) -> TurnSettings:
        """Those in force."""
        return self._settings

    def reload(self, settings: TurnSettings) -> None:
        """For clients that come from now on; allocations there are keep what they may. Raises ValueError."""
        settings = dataclasses.replace(settings, asks_owner=self._decides is not None)
        if self._listener is not None:
            self._listener.reload(settings)
        self._settings = settings

    def drain(self) -> None:
        """Allocate nothing more; allocations there are go on."""
        if self._listener is not None:
            self._listener.drain()

    async def allocations(self) -> list[AllocationRow]:
        """All allocations there are."""
        return await self._listener.allocations() if self._listener is not None else []

    async def kick(self, username: str) -> int:
        """End all allocations of a user; says how many there were."""
        rows = [row for row in await self.allocations() if username in (row.username, account_of(row.username))]
        for row in rows:
            assert self._listener is not None
            self._listener.kick(row.handle, row.allocation)
        return len(rows)

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        turn = self._engine.stats().turn
        yield "peerline_turn_allocations", "TURN allocations", {}, turn.allocations
        yield "peerline_turn_allocated_total", "TURN allocations made", {}, turn.allocated
        text = "Datagrams relayed"
        yield "peerline_turn_relayed_total", text, {"direction": "up"}, turn.relayed_up
        yield "peerline_turn_relayed_total", text, {"direction": "down"}, turn.relayed_down
        yield "peerline_turn_connections", "TCP and TLS connections of TURN clients", {}, turn.connections
        text = "Connections of TURN clients that were closed at once"
        yield "peerline_turn_refused_connections_total", text, {}, turn.refused_connections
        text = "TURN requests refused"
        yield "peerline_turn_refused_total", text, {"whose": "known"}, turn.refused
        yield "peerline_turn_refused_total", text, {"whose": "stranger"}, turn.unauthorized
        text = "Datagrams dropped"
        for why in (
            "malformed",
            "unserved",
            "unknown",
            "no_permission",
            "over_quota",
            "rate_limited",
            "unread",
            "panics",
        ):
            yield "peerline_turn_dropped_total", text, {"why": why}, getattr(turn, why)

    def close(self) -> None:
        """End it. Closing again does nothing."""
        for task in self._deciding:
            task.cancel()
        if self._listener is not None:
            self._listener.close()

    def _on_event(self, event: TurnEvent) -> None:
        if event.kind == "asked":
            task = asyncio.ensure_future(self._decide(event))
            self._deciding.add(task)
            task.add_done_callback(self._deciding.discard)
        elif event.kind == "freed":
            name = account_of(event.username)
            usage = self.usage.pop(name, None) or Usage()
            self.usage[name] = usage  # the last one now
            up, bytes_up, down, bytes_down = event.usage
            usage.allocations += 1
            usage.packets_up += up
            usage.bytes_up += bytes_up
            usage.packets_down += down
            usage.bytes_down += bytes_down
            if len(self.usage) > MAX_USERS:
                del self.usage[next(iter(self.usage))]
            log.debug("allocation freed: %s, %d packets up, %d down", event.why, up, down)
        else:
            log.debug("allocation made")

    async def _decide(self, event: TurnEvent) -> None:
        assert self._decides is not None
        assert self._listener is not None
        is_allowed = False
        try:
            is_allowed = await self._decides(account_of(event.username))
        except Exception:
            log.exception("the decision about an allocation failed: denied")
        self._listener.decide(event, is_allowed=is_allowed)


def account_of(username: str) -> str:
    """The name without its expiry."""
    expiry, colon, name = username.partition(":")
    return name if colon and expiry.isdecimal() else username
