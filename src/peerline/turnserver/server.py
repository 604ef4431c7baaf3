"""A TURN server in this process: started, watched, changed and stopped from asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence

from peerline.engine import AllocationRow, Engine, TurnEvent, TurnListener
from peerline.errors import BackendError
from peerline.metrics import Sample
from peerline.turnserver.ports import Listen
from peerline.turnserver.settings import TurnSettings
from peerline.turnserver.usage import Usage, UsageBook, account_of

log = logging.getLogger("peerline.turn")
# Each relay that begins or ends: for machines, which is why `set_up_logs` leaves it out of lines for people.
relays_log = logging.getLogger("peerline.turn.relays")

# A shard that lives answers in microseconds.
LISTED_WITHIN_S = 5.0
# The core waits up to 5 s (crates/turn/src/requests/allocate.rs), counted in whole ones; whoever is refused is told.
DECIDED_WITHIN_S = 4.0
_DROPPED = ("malformed", "unserved", "unknown", "no_permission", "over_quota", "rate_limited", "unread", "panics")


class TurnServer:
    """Owns one TURN listener of an engine. The engine must be attached to the running loop."""

    def __init__(
        self,
        engine: Engine,
        settings: TurnSettings,
        *,
        decides: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        """`decides` is asked with the user name before each allocation; no answer within 4 s means no."""
        self._engine = engine
        self._settings = settings
        self._decides = decides
        self._deciding: set[asyncio.Task[None]] = set()
        self._listener: TurnListener | None = None
        self._book = UsageBook()
        self._freed = asyncio.Event()
        self._notes_of_freed: list[set[tuple[int, int]]] = []
        self._freed_total: dict[str, int] = {}

    def listen(
        self,
        listen: Sequence[Listen],
        relays: Sequence[tuple[str, str]],
        ports: tuple[int, int],
        *,
        certificate: tuple[bytes, bytes] | None = None,
    ) -> Sequence[Listen]:
        """Start. Returns the real addresses. Raises OSError, ValueError (see `Engine.turn_listen`)."""
        self._listener = self._engine.turn_listen(
            listen, relays, ports, self._for_core(self._settings), self._on_event, certificate=certificate
        )
        return self._listener.addresses

    @property
    def settings(self) -> TurnSettings:
        """Those in force."""
        return self._settings

    @property
    def usage(self) -> dict[str, Usage]:
        """What each user has relayed with allocations that are over."""
        return self._book.users

    def reload(self, settings: TurnSettings) -> None:
        """For clients that come from now on; allocations there are keep what they may. Raises ValueError."""
        if self._listener is not None:
            self._listener.reload(self._for_core(settings))
        self._settings = settings

    def reload_certificate(self, certificate: tuple[bytes, bytes]) -> None:
        """For TLS connections that begin from now on. Raises ValueError, and then nothing has changed."""
        if self._listener is not None:
            self._listener.reload_certificate(*certificate)

    def drain(self) -> None:
        """Allocate nothing more; allocations there are go on."""
        if self._listener is not None:
            self._listener.drain()

    async def drained(self) -> None:
        """Return when no allocation is left. Raises BackendError if the engine does not answer."""
        while True:
            freed: set[tuple[int, int]] = set()
            with self._noting(freed):
                left = {(row.handle, row.allocation) for row in await self.allocations()}
                if not left:
                    return
                while left:
                    left -= freed
                    freed.clear()
                    if left:
                        self._freed.clear()
                        await self._freed.wait()

    async def allocations(self) -> list[AllocationRow]:
        """All allocations there are. Raises BackendError if the engine does not answer."""
        if self._listener is None:
            return []
        try:
            async with asyncio.timeout(LISTED_WITHIN_S):
                return await self._listener.allocations()
        except (TimeoutError, RuntimeError) as error:
            raise BackendError("the relay does not answer", hint="The log says why.") from error

    async def usage_now(self) -> dict[str, Usage]:
        """What each user has relayed, allocations there are included. Raises BackendError."""
        freed: set[tuple[int, int]] = set()
        with self._noting(freed):
            rows = await self.allocations()
        # One that ended between its row and the last row is in the book already.
        return self._book.with_running(row for row in rows if (row.handle, row.allocation) not in freed)

    async def kick(self, username: str) -> int:
        """End all allocations of a user; says how many there were."""
        rows = [row for row in await self.allocations() if username in (row.username, account_of(row.username))]
        for row in rows:
            assert self._listener is not None
            self._listener.kick(row.handle, row.allocation)
        return len(rows)

    async def kick_allocation(self, handle: int, allocation: int) -> bool:
        """End one; False if there is no such allocation."""
        if not any((row.handle, row.allocation) == (handle, allocation) for row in await self.allocations()):
            return False
        assert self._listener is not None
        self._listener.kick(handle, allocation)
        return True

    def samples(self) -> Iterator[Sample]:
        """For /metrics. No label is a user: there may be any number of them."""
        turn = self._engine.stats().turn
        yield "peerline_turn_allocations", "TURN allocations", {}, turn.allocations
        yield "peerline_turn_allocated_total", "TURN allocations made", {}, turn.allocated
        for why, count in self._freed_total.items():
            yield "peerline_turn_freed_total", "TURN allocations that are over, by reason", {"why": why}, count
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
        for why in _DROPPED:
            yield "peerline_turn_dropped_total", text, {"why": why}, getattr(turn, why)

    def close(self) -> None:
        """End it. Closing again does nothing."""
        for task in self._deciding:
            task.cancel()
        if self._listener is not None:
            self._listener.close()

    @contextlib.contextmanager
    def _noting(self, freed: set[tuple[int, int]]) -> Iterator[None]:
        """Allocations that end meanwhile are put into this set."""
        self._notes_of_freed.append(freed)
        try:
            yield
        finally:
            # Not `remove`: that takes the first that is equal, and sets with the same content are.
            self._notes_of_freed = [other for other in self._notes_of_freed if other is not freed]

    def _for_core(self, settings: TurnSettings) -> TurnSettings:
        """Each shard counts for itself, and clients come to one of them by chance."""
        shards = self._engine.stats().shards

        def of_one(all_together: int) -> int:
            return -(-all_together // shards)

        # From another address a client may come to a shard that does not know it.
        mobility = settings.mobility and shards == 1
        return dataclasses.replace(
            settings,
            asks_owner=self._decides is not None,
            max_allocations=of_one(settings.max_allocations),
            total_packets_per_s=of_one(settings.total_packets_per_s),
            total_bits_per_s=of_one(settings.total_bits_per_s),
            mobility=mobility,
        )

    def _on_event(self, event: TurnEvent) -> None:
        if event.kind == "asked":
            task = asyncio.ensure_future(self._decide(event))
            self._deciding.add(task)
            task.add_done_callback(self._deciding.discard)
            return
        if event.kind == "freed":
            self._book.finished(event.username, event.usage)
            self._freed_total[event.why] = self._freed_total.get(event.why, 0) + 1
            for freed in self._notes_of_freed:
                freed.add((event.handle, event.subject))
            self._freed.set()
        if relays_log.isEnabledFor(logging.INFO):
            _write_down(event)

    async def _decide(self, event: TurnEvent) -> None:
        assert self._decides is not None
        assert self._listener is not None
        is_allowed = False
        try:
            async with asyncio.timeout(DECIDED_WITHIN_S):
                is_allowed = await self._decides(account_of(event.username))
        except Exception:
            log.exception("the decision about an allocation failed: denied")
        self._listener.decide(event, is_allowed=is_allowed)


def _write_down(event: TurnEvent) -> None:
    fields: dict[str, object] = {"event": event.kind, "user": account_of(event.username)}
    if event.kind == "freed":
        up, bytes_up, down, bytes_down = event.usage
        fields |= {"why": event.why, "packets_up": up, "bytes_up": bytes_up}
        fields |= {"packets_down": down, "bytes_down": bytes_down}
        relays_log.info("relay ended", extra={"fields": fields})
    else:
        relays_log.info("relay made", extra={"fields": fields})
