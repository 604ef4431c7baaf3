"""The packet core as Python sees it: threads that own sockets, and events from them on the asyncio loop.

The first service is a STUN server (RFC 8489): it tells a client the public address it is seen from. How the
pieces work together stands in docs/flows/stun.md.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import Self

from peerline import _core

__all__ = ["Engine", "EngineStats", "StunListener"]

_log = logging.getLogger(__name__)

# One call of the loop handles so many events at most; then the loop's other callbacks have their turn.
_EVENTS_PER_CALL = 256


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
    send_failed: int
    """Answers that the operating system would not send, over all services."""
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
        return EngineStats(**self._core.stats())

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
        self._pings.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_events(self) -> None:
        """The loop's reader: the descriptor stays readable until the queue is empty."""
        for kind, subject, detail in self._core.drain(_EVENTS_PER_CALL):
            if kind == _core.EVENT_PONGED:
                future = self._pings.pop(subject, None)
                if future is not None and not future.done():
                    future.set_result(None)
            elif kind == _core.EVENT_CLOSED:
                self._end(subject, None)
            elif kind == _core.EVENT_FAILED:
                self._end(subject, str(detail))
            elif kind == _core.EVENT_SHARD_FAILED:
                _log.critical("shard %d of the packet core failed: %s", subject, detail)
                for handle in [handle for handle in self._listeners if handle >> 52 == subject]:
                    self._end(handle, f"its shard failed: {detail}")

    def _end(self, handle: int, failure: str | None) -> None:
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
