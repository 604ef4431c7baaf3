"""What sort of address it is: who can reach somebody there?"""

from __future__ import annotations

import ipaddress
from enum import StrEnum

_DOCKER = ipaddress.ip_network("172.17.0.0/16")
_CGNAT = ipaddress.ip_network("100.64.0.0/10")
_PRIVATE = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]


class Place(StrEnum):
    """From where an address can be reached."""

    LOOPBACK = "loopback: this computer alone"
    LINK_LOCAL = "link-local: this cable alone"
    CONTAINER = "a container's network: the machine it runs on alone"
    CGNAT = "carrier-grade NAT (100.64.0.0/10): the provider's own network alone"
    PRIVATE = "private: the local network alone"
    PUBLIC = "public"

    @property
    def is_public(self) -> bool:
        """Whether the whole internet can send there."""
        return self is Place.PUBLIC


def place_of(address: str) -> Place:
    """Addresses of documentation count as public, so that the NAT lab is an internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback or ip.is_unspecified:
        return Place.LOOPBACK
    if ip.is_link_local:
        return Place.LINK_LOCAL
    if ip in _DOCKER:
        return Place.CONTAINER
    if ip in _CGNAT:
        return Place.CGNAT
    if any(ip in network for network in _PRIVATE):
        return Place.PRIVATE
    return Place.PUBLIC


def network_of(address: str) -> str:
    """The network to write behind --allow-peer, so that this address may be reached."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.is_loopback:
        return "127.0.0.0/8" if ip.version == 4 else "::1/128"
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 64}", strict=False))
