"""Behaviour discovery (RFC 5780): a second address and a second port, from which a client can have itself answered.

By that it learns what its NAT does: whether it maps and filters by the address, or by the port as well.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from peerline.errors import ConfigError
from peerline.turnserver.addresses import Address, parse_external
from peerline.turnserver.ports import Listen

_HINT = "Write ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; behind a one-to-one NAT PUBLIC/PRIVATE for ADDRESS."


@dataclass(frozen=True, slots=True)
class Alternate:
    """`--turn-alternate`: another address of this host, and the port that it and the first one have besides theirs."""

    public: Address
    private: Address
    port: int | None
    """None: the one after that of the server."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The four addresses of one family: two, as sockets are bound and as clients are told, with two ports each."""

    ips: tuple[tuple[str, str], tuple[str, str]]
    ports: tuple[int, int]


def parse_alternates(texts: Sequence[str]) -> list[Alternate]:
    """One for each family at most. Raises ConfigError."""
    found = [_parse(text) for text in texts]
    if len({alternate.public.version for alternate in found}) < len(found):
        raise ConfigError("turn_alternate: two addresses of one family", hint="There can be one of each.")
    return found


def discoveries(alternates: Sequence[Alternate], relays: Sequence[tuple[str, str]], port: int) -> list[Discovery]:
    """What the server is told. `relays` are the first addresses, of which sockets are bound to the first of each pair.

    Raises ConfigError for an alternate that has no first address, or is the first one.
    """
    found = []
    for alternate in alternates:
        of_family = (pair for pair in relays if ipaddress.ip_address(pair[0]).version == alternate.public.version)
        first = next(of_family, None)
        if first is None:
            raise ConfigError(f"turn_alternate: the server listens on no IPv{alternate.public.version} address")
        if str(alternate.private) == first[0]:
            raise ConfigError("turn_alternate: this is the address that the server has already", hint=_HINT)
        second = alternate.port if alternate.port is not None else port + 1
        if second == port or not 1 <= second <= 65535:
            raise ConfigError(f"turn_alternate: port {second} cannot be the second one", hint=_HINT)
        ips = (first, (str(alternate.private), str(alternate.public)))
        found.append(Discovery(ips, (port, second)))
    return found


def listeners(found: Sequence[Discovery], hosts: Sequence[str], port: int) -> list[Listen]:
    """Where to listen besides `hosts` on `port`, so that there is a socket on each of the four addresses."""
    wanted: list[Listen] = []
    for discovery in found:
        version = ipaddress.ip_address(discovery.ips[0][0]).version
        wildcard = "0.0.0.0" if version == 4 else "::"
        binds = [wildcard] if wildcard in hosts else [bind for bind, _ in discovery.ips]
        for bind in binds:
            wanted += [("udp", bind, each) for each in discovery.ports if bind not in hosts or each != port]
    return wanted


def _parse(text: str) -> Alternate:
    address, port = text, ""
    if text.startswith("["):
        address, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ConfigError(f"turn_alternate: {text!r} is no address", hint=_HINT)
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        external = parse_external(address)
    except ConfigError as error:
        raise ConfigError(f"turn_alternate: {text!r} is no address", hint=_HINT) from error
    if port and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise ConfigError(f"turn_alternate: {port!r} is no port", hint=_HINT)
    return Alternate(external.public, external.private or external.public, int(port) if port else None)
