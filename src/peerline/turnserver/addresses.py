"""Which addresses this host has, where relays are opened, and what peers are told."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

import ifaddr

from peerline.errors import ConfigError

LOCAL_ONLY = "No relay on localhost alone: it would reach nobody. --allow-peer 127.0.0.0/8 opens it for trying out."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class ExternalAddress:
    """`PUBLIC` or `PUBLIC/PRIVATE`: what the world sees, and the address of ours that it leads to."""

    public: Address
    private: Address | None


def numeric_host(host: str) -> str:
    """The address behind a host name. Raises ConfigError."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"there is no host {host!r}", hint="Give an address of this machine.") from error


def own_addresses() -> list[str]:
    """All addresses of this host, without scopes."""
    found = [str(ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip) for a in ifaddr.get_adapters() for ip in a.ips]
    return sorted({*found, "127.0.0.1", "::1"})


def own_network(address: str) -> str | None:
    """The network that this address of ours is in, e.g. "192.168.1.0/24"."""
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if (ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip) == address:
                return str(ipaddress.ip_network(f"{address}/{ip.network_prefix}", strict=False))
    return None


def broadcast_addresses(network: str) -> list[str]:
    """Those that everybody in it hears: one packet for all of them is no relaying. IPv6 has none."""
    parsed = ipaddress.ip_network(network)
    if parsed.version == 6 or parsed.prefixlen > 30:
        return []
    return [str(parsed.network_address), str(parsed.broadcast_address)]


def relay_addresses(hosts: list[str], external: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of (bind to, tell peers), at most one of each family, for a server that listens on `hosts`.

    Raises ConfigError for an external address that makes no sense.
    """
    known = [parse_external(text) for text in external]
    pairs = []
    for version, wildcard in ((4, "0.0.0.0"), (6, "::")):
        of_family = [h for h in hosts if ipaddress.ip_address(h).version == version]
        # Relays on loopback reach nobody else: another address is better, where there is one.
        of_family.sort(key=lambda h: ipaddress.ip_address(h).is_loopback)
        if not of_family:
            continue
        bind: str | None = of_family[0]
        if bind == wildcard:
            bind = _outgoing(version)
        public = next((e for e in known if e.public.version == version), None)
        if public is not None and public.private is not None:
            bind = str(public.private)
        if bind is not None:
            pairs.append((bind, str(public.public) if public is not None else bind))
    return pairs


def reaches_nobody(relays: list[tuple[str, str]], allowed: list[str]) -> bool:
    """Whether all relays are on loopback, and no peer on loopback is allowed."""
    loopback = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
    is_open = any(ip in ipaddress.ip_network(text, strict=False) for text in allowed for ip in loopback)
    return not is_open and all(ipaddress.ip_address(bind).is_loopback for bind, _ in relays)


def parse_external(text: str) -> ExternalAddress:
    """`--external-ip`. Raises ConfigError."""
    public, _, private = text.partition("/")
    try:
        external = ExternalAddress(ipaddress.ip_address(public), ipaddress.ip_address(private) if private else None)
    except ValueError as error:
        raise ConfigError(f"external_ip: {error}", hint="Write PUBLIC or PUBLIC/PRIVATE.") from None
    if external.private is not None and external.private.version != external.public.version:
        raise ConfigError("external_ip: both addresses must be of one family")
    return external


def parse_ports(text: str) -> tuple[int, int]:
    """`--relay-ports FIRST-LAST`. Raises ConfigError."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535):
        raise ConfigError(f"relay_ports: {text!r} is no range", hint="For example 49152-65535.")
    return int(first), int(last)


def check_networks(texts: tuple[str, ...]) -> list[str]:
    """`--allow-peer CIDR`. Raises ConfigError."""
    for text in texts:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ConfigError(f"allow_peer: {text!r} is no network", hint="For example 192.168.0.0/16.") from None
    return list(texts)


def _outgoing(version: int) -> str | None:
    """The address that packets to the world would leave from. Nothing is sent."""
    family, target = (socket.AF_INET, "192.0.2.1") if version == 4 else (socket.AF_INET6, "2001:db8::1")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None
