"""Everything one server consists of, put together: the store, the hub, the dispatcher; started once, closed once."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from peerline.auth.secrets_file import has_secret
from peerline.auth.tokens import Tokens, load_secret
from peerline.config import Config
from peerline.errors import BackendError
from peerline.metrics import Metrics, Sample
from peerline.plugins import Plugins
from peerline.server.clockwork import Clockwork
from peerline.server.dispatch import Dispatcher
from peerline.server.hub import Hub
from peerline.store import open_store
from peerline.turnserver import TurnServer

log = logging.getLogger("peerline.server")


class Service:
    """One signaling server. `start` may be called by whoever comes first, any number of times."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = open_store(config.database, name_ttl_days=config.name_ttl_days)
        self._tokens: Tokens | None = None
        self.plugins = Plugins.load(config.plugins, base=Path.cwd(), timeout_s=config.plugin_timeout_s)
        self.hub = Hub(
            config, self.store, tokens=self.tokens() if config.auth == "token" else None, plugins=self.plugins
        )
        self.dispatcher = Dispatcher(self.hub)
        self.metrics = Metrics(self._samples)
        self.more_samples: list[Callable[[], Iterable[Sample]]] = []  # of what runs beside the signaling
        self.turn: TurnServer | None = None  # lent by who runs one, for the API
        self._starting: asyncio.Future[None] | None = None
        self._clockwork: Clockwork | None = None

    def tokens(self) -> Tokens | None:
        """What checks tokens; None while nobody has made one.

        With `--auth open` the first `peerline token create` makes the secret, also while we run.
        """
        config = self.config
        if self._tokens is None:
            if config.token_secret is not None:
                self._tokens = Tokens(config.token_secret)
            elif config.auth == "token" or has_secret(config.data_dir, "token"):
                self._tokens = Tokens(load_secret(config.data_dir))
        return self._tokens

    async def start(self) -> None:
        """Open the store and start the clock. Raises BackendError if the store cannot be opened."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._start())
        starting = self._starting
        try:
            await asyncio.shield(starting)
        except BackendError:
            if self._starting is starting:
                self._starting = None  # the next one tries again
            raise

    async def close(self) -> None:
        """Tell clients to come back, write what is to be written, close the store."""
        self.hub.drain()
        if self._clockwork is not None:
            self._clockwork.close()
            self._clockwork = None
        await self.hub.close()
        await self.plugins.close()
        await self.store.close()

    async def _start(self) -> None:
        await self.store.open()
        self._clockwork = Clockwork(self.hub)
        # Calls that a former process left open: whoever is still in one says so within `sync_s`.
        left_open = [row.call for row in await self.store.open_calls()]
        if left_open:
            wait_s = self.config.signaling.sync_s + self.config.signaling.grace_s
            self.hub.timers.at(self.hub.clock() + wait_s, lambda _: self._close_forgotten(left_open))

    def _close_forgotten(self, tokens: list[str]) -> None:
        for token in tokens:
            if token not in self.hub.board.calls:
                end = functools.partial(self.store.end_call, token, self.hub.wall_ms(), "lost")
                self.hub.ledger.journal.put(end)

    def _samples(self) -> Iterable[Sample]:
        hub, dispatcher, board = self.hub, self.dispatcher, self.hub.board
        connected = sum(1 for s in hub.sessions.values() if s.carrier is not None)
        yield "peerline_sessions", "Sessions, with and without a socket", {}, len(hub.sessions)
        yield "peerline_connections", "Sessions that have a socket, stream or poll", {}, connected
        yield "peerline_people", "People who are present", {}, len(hub.roster)
        yield "peerline_calls", "Calls that are not over", {}, len(board.calls)
        for why, count in board.ended_total.items():
            yield "peerline_calls_ended_total", "Calls that are over, by reason", {"why": why}, count
        for kind, count in hub.hellos_total.items():
            yield "peerline_hellos_total", "Sessions opened and resumed", {"kind": kind}, count
        yield "peerline_messages_total", "Messages received", {}, dispatcher.own_total + dispatcher.relayed_total
        yield "peerline_relayed_total", "Messages passed on unread", {}, dispatcher.relayed_total
        for code, count in dispatcher.errors_total.items():
            yield "peerline_errors_total", "Requests refused, by code", {"code": code}, count
        yield "peerline_store_queue", "Records that wait for the store", {}, hub.ledger.journal.depth
        yield "peerline_store_dropped_total", "Records dropped", {}, hub.ledger.journal.dropped
        for read in self.more_samples:
            yield from read()
