"""What W3C has no word for: ports, addresses, interfaces, DTLS versions."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from peerline.errors import ConfigError

DTLS_VERSIONS = ("newest", "1.2", "1.3")


@dataclass(frozen=True, slots=True)
class Tuning:
    """Given to a connection beside its RTCConfiguration: `RTCPeerConnection(configuration, tuning=Tuning(…))`.

    Raises ConfigError for values that are impossible.
    """

    ports: tuple[int, int] | None = None
    """First and last UDP port that sockets are bound to. None: whatever the system gives."""
    port: int | None = None
    """One UDP port on each address for all connections that name it, in place of sockets of their own: what a firewall
    opens for a server. The other side must not do the same with two connections between the same two ports."""
    advertised: str | None = None
    """The public address shown in host candidates in place of the private one: a server behind a 1:1 NAT."""
    interfaces: Callable[[str, str], bool] | None = None
    """Called with the name of an interface and an address of it: whether it may be used. None: all but loopback and
    link-local ones; loopback where there is nothing else."""
    dtls_versions: str = "newest"
    """"newest": 1.3, or 1.2 with who has no more; "1.2" or "1.3": that one alone."""
    max_message_bytes: int = 262144
    """The largest message that is taken from a data channel; said in a=max-message-size."""

    def __post_init__(self) -> None:
        if self.ports is not None:
            first, last = self.ports
            if not 1 <= first <= last <= 65535:
                raise ConfigError(f"ports: {first} to {last} is no range", hint="For example (50000, 50100).")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ConfigError(f"port: {self.port} is no port", hint="1 to 65535.")
        if self.port is not None and self.ports is not None:
            raise ConfigError("port and ports exclude each other", hint="port: all on one; ports: each on its own.")
        if self.advertised is not None:
            try:
                ipaddress.ip_address(self.advertised)
            except ValueError:
                raise ConfigError(f"advertised: {self.advertised!r} is no IPv4 or IPv6 address") from None
        if self.dtls_versions not in DTLS_VERSIONS:
            raise ConfigError(f"dtls_versions: {self.dtls_versions!r} is none of {', '.join(DTLS_VERSIONS)}")
        if not 1024 <= self.max_message_bytes <= 1 << 30:
            raise ConfigError(f"max_message_bytes: {self.max_message_bytes} is not between 1,024 and 2^30")
