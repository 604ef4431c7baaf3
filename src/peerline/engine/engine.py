"""The packet core as Python sees it: threads that own sockets, and events from them on the asyncio loop.

Its services: a STUN server (RFC 8489), which tells a client the public address it is seen from (docs/flows/stun.md),
and a TURN server (RFC 8656), which relays for clients that cannot reach each other.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from peerline import _core

__all__ = ["AllocationRow", "Engine", "EngineStats", "StunListener", "TurnEvent", "TurnListener", "TurnStats"]

_log = logging.getLogger(__name__)

# One call of the loop handles so many events at most; then the loop's other callbacks have their turn.
_EVENTS_PER_CALL = 256

_TURN_KINDS = {
    _core.EVENT_TURN_ALLOCATED: "allocated",
    _core.EVENT_TURN_FREED: "freed",
    _core.EVENT_TURN_ASKED: "asked",
}


@dataclass(frozen=True, slots=True)
class TurnStats:
    """What all TURN servers of an engine have done, in messages and datagrams."""

    allocations: int
    """There are now."""
    allocated: int
    """Made since the beginning."""
    relayed_up: int
    """From clients to peers."""
    relayed_down: int
    """From peers to clients."""
    bindings: int
    """STUN Binding success responses."""
    refused: int
    """Error responses to clients that are known."""
    unauthorized: int
    """Error responses to strangers: 400, 401, 438."""
    malformed: int
    """Dropped: neither STUN nor ChannelData."""
    unserved: int
    """Dropped: responses, indications and methods that are not served."""
    unknown: int
    """Dropped: ChannelData of nobody's allocation, or on a channel that is not bound."""
    no_permission: int
    """Dropped: from peers that the client has not permitted."""
    over_quota: int
    """Dropped: over the rate of its allocation."""
    rate_limited: int
    """Dropped: its source has had its share of answers."""
    unread: int
    """Dropped: for clients over TCP or TLS that read too slowly."""
    connections: int
    """TCP and TLS connections there are now."""
    refused_connections: int
    """Closed at once: too many of strangers, too fast, or no descriptor was left."""
    panics: int
    """Messages that a bug of ours made us drop."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counters since the engine was made. They stay readable after `Engine.close`."""

    shards: int
    """Threads that own sockets."""
    events_published: int
    """Events that the shards have put into the queue."""
    wakes: int
    """How often the asyncio loop had to be woken for them."""
    stun_received: int
    """Datagrams that reached a STUN listener: the sum of the next five."""
    stun_answered: int
    """Binding success responses."""
    stun_refused: int
    """Error 420 responses: the request had an attribute that must be understood and is not (RFC 8489 §6.3.1)."""
    stun_malformed: int
    """Dropped: not a STUN message."""
    stun_unserved: int
    """Dropped: a response, an indication, another method than Binding, a wrong FINGERPRINT (RFC 8489 §7)."""
    stun_rate_limited: int
    """Dropped: its source asked more often than allowed."""
    turn: TurnStats
    send_failed: int
    """Datagrams that the operating system would not send, over all services."""
    receive_failed: int
    """Receive calls that ended in an error, over all services."""

    @property
    def stun_dropped(self) -> int:
        """Datagrams that got no answer on purpose."""
        return self.stun_malformed + self.stun_unserved + self.stun_rate_limited


class StunListener:
    """A STUN server on one UDP address. `Engine.stun_listen` makes it."""

    def __init__(self, core: _core.Engine, handle: int, host: str, port: int) -> None:
        self._core = core
        self._handle = handle
        self._host = host
        self._port = port
        self._is_open = True
        self._failure: str | None = None

    @property
    def host(self) -> str:
        """The IP address it is bound to."""
        return self._host

    @property
    def port(self) -> int:
        """The UDP port it is bound to, the real one if 0 was asked for."""
        return self._port

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self._host, self._port

    @property
    def is_open(self) -> bool:
        """False once it was closed, has failed, or its engine was closed."""
        return self._is_open and not self._core.is_closed

    @property
    def failure(self) -> str | None:
        """Why it failed by itself, if it did. Known only while the engine is attached to a loop."""
        return self._failure

    def close(self) -> None:
        """Stop answering. The port is free a moment later. Closing again does nothing.

        Raises RuntimeError in a forked child.
        """
        if self.is_open:
            self._is_open = False
            self._core.close_handle(self._handle)

    def __repr__(self) -> str:
        return f"<StunListener port={self._port} {'open' if self.is_open else 'closed'}>"


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


class Engine:
    """Threads that own the sockets of this process. One for each process is the rule.

    `shards` is their number: by default one less than there are cores, at least 1 and at most 4. Raises
    ValueError for a number outside 1 to 4096, OSError if the system has no thread or descriptor left.

    Methods may be called from any thread, `attach` and `close` from that of the loop. After os.fork() the child
    must make its own engine; every method of the inherited one raises RuntimeError.
    """

    def __init__(self, shards: int | None = None) -> None:
        self._core = _core.Engine(shards)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: dict[int, StunListener] = {}
        self._pings: dict[int, asyncio.Future[None]] = {}
        self._next_ping = 0
        self._on_turn: dict[int, Callable[[TurnEvent], None]] = {}
        self._on_peer: dict[int, Callable[[str | None, tuple[Any, ...]], None]] = {}
        self._lists: dict[int, tuple[asyncio.Future[list[AllocationRow]], list[AllocationRow], list[int]]] = {}

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have the events of the engine handled on this loop, until `close`.

        STUN is served without it too, but a service that fails is then not noticed. Raises RuntimeError if
        the engine is closed or attached to another loop, NotImplementedError if the loop has no add_reader
        (Windows' proactor loop).
        """
        if self._core.is_closed:
            raise RuntimeError("the engine is closed")
        if self._loop is not None and self._loop is not loop:
            raise RuntimeError("the engine is attached to another event loop; close it there first")
        loop.add_reader(self._core.fileno(), self._on_events)
        self._loop = loop

    def stun_listen(
        self, host: str, port: int, *, answers_per_second: int | None = 50, burst: int = 100
    ) -> StunListener:
        """Answer STUN Binding requests over UDP at this address (RFC 8489).

        `host` is an IPv4 or IPv6 address, not a name; "0.0.0.0" and "::" stand for all addresses of one family,
        so that serving both takes two listeners, which may share a port. `port` 0 picks a free one.
        `answers_per_second` and `burst` limit what one source (an IPv4 address, an IPv6 /64) gets, because
        sources can be forged and answers would then hit a victim; None lifts the limit.

        Raises OSError with its errno if the address cannot be had (EADDRINUSE: the port is taken,
        EADDRNOTAVAIL: not an address of this host, EACCES: a port below 1024 without the right to it),
        ValueError for a host, port or limit that makes no sense, RuntimeError if the engine is closed.
        """
        ip, scope_id = _parse_host(host)
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be between 0 and 65535, not {port}")
        for name, value in (("answers_per_second", answers_per_second), ("burst", burst)):
            if value is not None and not 1 <= value < 2**32:
                raise ValueError(f"{name} must be at least 1, not {value}")
        handle, bound_host, bound_port = self._core.stun_listen(ip, port, scope_id, answers_per_second, burst)
        listener = StunListener(self._core, handle, bound_host, bound_port)
        self._listeners[handle] = listener
        return listener

    def turn_listen(
        self,
        listen: Sequence[tuple[str, str, int]],
        relays: Sequence[tuple[str, str]],
        ports: tuple[int, int],
        settings: object,
        on_event: Callable[[TurnEvent], None],
        *,
        certificate: tuple[bytes, bytes] | None = None,
    ) -> TurnListener:
        """Serve TURN, and STUN Binding (RFC 8656, RFC 8489).

        `listen`: transport ("udp", "tcp" or "tls"), address, and port, 0 for a free one. `relays`: for each family at
        most one address to bind relay sockets to and the address to tell peers. `ports`: first and last of the relay
        sockets. `settings`: see peerline.turnserver.TurnSettings. `on_event` is called on the attached loop.
        `certificate`: chain and private key as PEM, without which there is no "tls".

        Raises OSError with its errno if an address cannot be had, ValueError for settings or a certificate that make
        no sense, RuntimeError if the engine is closed.
        """
        handles, addresses = self._core.turn_listen(listen, relays, ports, settings, certificate)
        for handle in handles:
            self._on_turn[handle] = on_event
        return TurnListener(self, handles, addresses)

    @property
    def core(self) -> _core.Engine:
        """For the other files of this package."""
        return self._core

    def listen(self, handle: int, on_news: Callable[[str | None, tuple[Any, ...]], None]) -> None:
        """News of a data path go there, from the attached loop: a name, details; None and a reason when it is gone."""
        self._on_peer[handle] = on_news

    def unlisten(self, handle: int) -> None:
        """Nobody listens any more."""
        self._on_peer.pop(handle, None)

    async def _list(self, listener: TurnListener) -> list[AllocationRow]:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            raise RuntimeError("the engine is not attached to the running event loop")
        token = self._next_ping
        self._next_ping += 1
        future: asyncio.Future[list[AllocationRow]] = loop.create_future()
        self._lists[token] = (future, [], list(listener.handles))
        try:
            self._core.turn_list(listener.handles, token)
            return await future
        finally:
            self._lists.pop(token, None)

    async def ping(self) -> None:
        """Return once every shard has answered: the engine is alive and its events reach this loop.

        Raises RuntimeError if the engine is closed, also while waiting, or is not attached to the running
        loop. A shard that hangs never answers: bound the wait with asyncio.timeout.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            raise RuntimeError("the engine is not attached to the running event loop")
        waiting: dict[int, asyncio.Future[None]] = {}
        try:
            for shard in range(self._core.shards):
                token = self._next_ping
                self._next_ping += 1
                self._core.ping(shard, token)
                waiting[token] = self._pings[token] = loop.create_future()
            await asyncio.gather(*waiting.values())
        finally:
            for token, future in waiting.items():
                self._pings.pop(token, None)
                future.cancel()

    def stats(self) -> EngineStats:
        """The counters as of now."""
        counters = self._core.stats()
        turn = {key.removeprefix("turn_"): counters.pop(key) for key in list(counters) if key.startswith("turn_")}
        return EngineStats(turn=TurnStats(**turn), **counters)

    @property
    def is_closed(self) -> bool:
        """True after `close`."""
        return self._core.is_closed

    def close(self) -> None:
        """End all threads and free all ports, and return when that is done. Closing again does nothing."""
        if self._loop is not None:
            loop, self._loop = self._loop, None
            if not loop.is_closed():
                loop.remove_reader(self._core.fileno())
        self._core.close()
        self._listeners.clear()
        for future in self._pings.values():
            if not future.done():
                future.set_exception(RuntimeError("the engine was closed"))
        for listing, _, _ in self._lists.values():
            if not listing.done():
                listing.set_exception(RuntimeError("the engine was closed"))
        self._pings.clear()
        self._on_turn.clear()
        self._on_peer.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_events(self) -> None:
        """The loop's reader: the descriptor stays readable until the queue is empty."""
        for kind, subject, detail in self._core.drain(_EVENTS_PER_CALL):
            if kind == _core.EVENT_PEER:
                on_news = self._on_peer.get(subject)
                if on_news is not None:
                    self._tell(on_news, *detail)
            elif kind == _core.EVENT_PONGED:
                future = self._pings.pop(subject, None)
                if future is not None and not future.done():
                    future.set_result(None)
            elif kind == _core.EVENT_CLOSED:
                self._end(subject, None)
            elif kind == _core.EVENT_FAILED:
                self._end(subject, str(detail))
            elif kind == _core.EVENT_TURN_LISTED:
                self._listed(subject, detail)
            elif kind in _TURN_KINDS:
                on_event = self._on_turn.get(subject)
                if on_event is not None:
                    on_event(TurnEvent(_TURN_KINDS[kind], subject, *detail))
            elif kind == _core.EVENT_SHARD_FAILED:
                _log.critical("shard %d of the packet core failed: %s", subject, detail)
                for handle in [handle for handle in (*self._listeners, *self._on_peer) if handle >> 52 == subject]:
                    self._end(handle, f"its shard failed: {detail}")

    def _tell(self, on_news: Callable[[str | None, tuple[Any, ...]], None], name: str | None, details: Any) -> None:
        try:
            on_news(name, details)
        except Exception as error:
            # One listener's bug must not cost another its events.
            message = f"what follows from {name!r} raised {type(error).__name__}"
            if self._loop is not None:
                self._loop.call_exception_handler({"message": message, "exception": error})

    def _listed(self, token: int, rows: list[Any]) -> None:
        waiting = self._lists.get(token)
        if waiting is None:
            return
        future, found, handles = waiting
        # Each shard answers once, in any order; which one it was stands in the row.
        handles.pop()
        found += [AllocationRow(*row) for row in rows]
        if not handles and not future.done():
            future.set_result(found)

    def _end(self, handle: int, failure: str | None) -> None:
        if self._on_turn.pop(handle, None) is not None and failure is not None:
            _log.error("a TURN server failed: %s", failure)
        on_news = self._on_peer.pop(handle, None)
        if on_news is not None:
            self._tell(on_news, None, (failure or "it was closed",))
        listener = self._listeners.pop(handle, None)
        if listener is None:
            return
        listener._is_open = False
        listener._failure = failure
        if failure is not None:
            _log.error("the STUN server on UDP port %d failed: %s", listener.port, failure)


def _parse_host(host: str) -> tuple[str, int]:
    """Address and IPv6 scope of a numeric host, "fe80::1%eth0" included; nothing is looked up."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        found = []
    if not host or not found:
        raise ValueError(f"host must be an IPv4 or IPv6 address, not {host!r}")
    family, _, _, _, sockaddr = found[0]
    if family == socket.AF_INET6 and len(sockaddr) == 4:
        return str(sockaddr[0]).partition("%")[0], int(sockaddr[3])
    return str(sockaddr[0]), 0
