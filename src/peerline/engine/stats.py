"""What an engine has counted."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EngineStats", "TurnStats"]


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
