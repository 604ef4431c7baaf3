"""The packet core as Python sees it: threads that own sockets, and events from them on the asyncio loop.

Its services: a STUN server (RFC 8489), which tells a client the public address it is seen from (docs/flows/stun.md),
and a TURN server (RFC 8656), which relays for clients that cannot reach each other.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any, Self

from peerline import _core
from peerline.engine.stats import EngineStats, TurnStats
from peerline.engine.stun_listener import StunListener
from peerline.engine.turn_listener import AllocationRow, TurnEvent, TurnListener

__all__ = ["Engine"]

_log = logging.getLogger(__name__)

# One call of the loop handles so many events at most; then the loop's other callbacks have their turn.
_EVENTS_PER_CALL = 256

_TURN_KINDS = {
    _core.EVENT_TURN_ALLOCATED: "allocated",
    _core.EVENT_TURN_FREED: "freed",
    _core.EVENT_TURN_ASKED: "asked",
}


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
