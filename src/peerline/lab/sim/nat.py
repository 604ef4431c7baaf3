"""A NAT for UDP as a machine without a clock (RFC 4787): packets come out with other addresses, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from peerline.lab.nat_type import Dependence, NatType

MAPPING_S = 300.0  # RFC 4787 §4.3, REQ-5: never less than two minutes, better five
PORTS = range(20_000, 60_000)
DNS = 53


class Address(NamedTuple):
    """Where a datagram comes from or goes to."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Packet:
    """One datagram."""

    source: Address
    to: Address
    data: bytes


Remote = str | Address | None  # as much of the other side's address as a decision depends on


@dataclass(slots=True)
class _Mapping:
    """A public port that stands for one inside, while it is used."""

    inside: Address
    port: int
    expires: float
    admitted: dict[Remote, float] = field(default_factory=dict)  # who may come in, and until when


class Nat:
    """The NAT of one router that has one public address."""

    def __init__(self, nat: NatType, address: str, random: Random) -> None:
        self.type = nat
        self.address = address
        self._random = random
        self._by_inside: dict[tuple[Address, Remote], _Mapping] = {}
        self._by_port: dict[int, _Mapping] = {}

    def leave(self, now: float, packet: Packet) -> Packet | None:
        """A packet from the LAN on its way out. It opens the way for answers, and keeps it open."""
        if self.type is NatType.UDP_BLOCKED and packet.to.port != DNS:
            return None
        mapping = self._mapping(now, packet)
        mapping.expires = now + MAPPING_S
        mapping.admitted[_seen(packet.to, self._filtering)] = mapping.expires
        return Packet(Address(self.address, mapping.port), packet.to, packet.data)

    def enter(self, now: float, packet: Packet) -> Packet | None:
        """A packet from the internet on its way in: to whom, if it may come in."""
        mapping = self._by_port.get(packet.to.port)
        if mapping is None or mapping.expires <= now:
            return None
        if mapping.admitted.get(_seen(packet.source, self._filtering), now) <= now:
            return None
        return Packet(packet.source, mapping.inside, packet.data)

    # A firewall that lets DNS out lets in what was asked for.
    @property
    def _filtering(self) -> Dependence:
        return self.type.filtering or Dependence.ADDRESS_AND_PORT_DEPENDENT

    def _mapping(self, now: float, packet: Packet) -> _Mapping:
        key = (packet.source, _seen(packet.to, self.type.mapping or Dependence.ADDRESS_AND_PORT_DEPENDENT))
        mapping = self._by_inside.get(key)
        if mapping is None or mapping.expires <= now:
            mapping = self._by_inside[key] = _Mapping(packet.source, self._free_port(now), now)
            self._by_port[mapping.port] = mapping
        return mapping

    def _free_port(self, now: float) -> int:
        """Any one: who counts on a port being kept, or on the next one coming next, is not ready for the world."""
        while True:
            port = self._random.choice(PORTS)
            used = self._by_port.get(port)
            if used is None or used.expires <= now:
                return port


def _seen(remote: Address, dependence: Dependence) -> Remote:
    if dependence is Dependence.ENDPOINT_INDEPENDENT:
        return None
    return remote.ip if dependence is Dependence.ADDRESS_DEPENDENT else remote
