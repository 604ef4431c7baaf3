"""What the TURN server is told, checked by the packet core."""

from __future__ import annotations

from dataclasses import dataclass, field

from peerline.errors import ConfigError
from peerline.turnserver.discovery import Discovery

MAX_REALM_BYTES = 32
"""An answer to a stranger repeats the realm, and may be 3.6 times as long as the question."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """What one user may have; 0 means no limit. The default is for users with time-limited credentials."""

    allocations: int = 10
    permissions: int = 64
    """Of one allocation, as all that follow."""
    channels: int = 64
    new_peers_per_s: int = 5
    new_peers_burst: int = 32
    packets_per_s: int = 10_000
    bits_per_s: int = 50_000_000


UNLIMITED = Quotas(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """Everything that may change while the server runs. Raises ConfigError for a realm that cannot be told."""

    realm: str = "peerline"
    secrets: list[bytes] = field(default_factory=list, repr=False)
    """Shared secrets of time-limited credentials, newest first; each of them is accepted."""
    users: list[tuple[str, str]] = field(default_factory=list, repr=False)
    """Names and passwords that do not expire."""
    allow: list[str] = field(default_factory=list)
    """Networks that peers may be in although they are denied by default, e.g. "192.168.0.0/16"."""
    deny: list[str] = field(default_factory=list)
    own_addresses: list[str] = field(default_factory=list)
    """Of this host: peers may be on their open ports only."""
    open_ports: list[tuple[int, int]] = field(default_factory=list)
    closed_ports: list[int] = field(default_factory=list)
    """Our listeners: closed even on networks that are allowed."""
    quotas: Quotas = field(default_factory=Quotas)
    static_quotas: Quotas = UNLIMITED
    """Of `users`."""
    max_allocations: int = 100_000
    """Of all users together; 0 means no limit, here and in the next two."""
    total_packets_per_s: int = 0
    """What all allocations relay together, either way."""
    total_bits_per_s: int = 0
    answers_per_second: int | None = 50
    """To one source that has not authenticated itself; None lifts the limit."""
    answers_burst: int = 100
    nonce_lifetime_s: int = 3600
    mobility: bool = False
    """Whether an allocation may follow its client to another address (RFC 8016); on an engine with one shard only."""
    discovery: list[Discovery] = field(default_factory=list)
    """Of each family at most one; none: not served (RFC 5780)."""
    tcp_relays: bool = False
    """Whether clients get relays for TCP (RFC 6062)."""
    tcp_connections: int = 32
    """With peers, of one such relay at once; 0 means no limit."""
    asks_owner: bool = False
    """Whether `TurnServer.decides` is asked before each allocation."""

    def __post_init__(self) -> None:
        is_plain = self.realm.isascii() and self.realm.isprintable() and not set('"\\') & set(self.realm)
        if not is_plain or not 1 <= len(self.realm) <= MAX_REALM_BYTES:
            raise ConfigError(
                f"realm: 1 to {MAX_REALM_BYTES} printable ASCII characters, without quotes and backslashes",
                hint="A domain name will do, for example turn.example.org.",
            )
