"""An internet in memory, in virtual time: hosts, LANs behind NATs, and links; the same seed makes the same run."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from random import Random

from peerline.lab.addresses import Addresses, LanAddresses
from peerline.lab.errors import LabError
from peerline.lab.link import Link, Quality, ways
from peerline.lab.nat_type import NatType
from peerline.lab.sim.nat import Address, Nat, Packet

HEADER_BYTES = 28  # IPv4 and UDP: they too take their time on the line
EPHEMERAL = range(49_152, 65_536)  # RFC 6335 §6


class Network:
    """The world of one test. Time passes only in `advance` and `settle`."""

    def __init__(self, seed: int = 0) -> None:
        self.now = 0.0
        self.random = Random(seed)
        self._addresses = Addresses()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._events = 0
        self._public: dict[str, Callable[[Packet], None]] = {}

    def host(self, name: str, *, addresses: int = 1) -> Host:
        """A host with public addresses of its own."""
        host = Host(self, name, [self._addresses.public() for _ in range(addresses)], self._forward)
        for address in host.addresses:
            self._public[address] = host.deliver
        return host

    def behind(self, nat: str | NatType) -> Lan:
        """A LAN behind a router of this type. Raises LabError for a type that there is not."""
        lan = Lan(self, NatType.named(nat), self._addresses)
        if lan.nat is not None:
            self._public[lan.nat.address] = lan.enter
        return lan

    def shape(
        self,
        host: Host,
        *,
        loss: float = 0.0,
        rate_bps: float | None = None,
        delay_s: float = 0.0,
        queue_s: float = 0.2,
        direction: str = "both",
    ) -> None:
        """Make a host's link worse, or good again: as `Lab.shape`."""
        wanted, (up, down) = Quality(loss, rate_bps, delay_s, queue_s), ways(direction)
        if up:
            host.up.quality = wanted
        if down:
            host.down.quality = wanted

    # Time --------------------------------------------------------------------------------------------

    def at(self, due: float, call: Callable[[], None]) -> None:
        """Have something called when that time has come."""
        self._events += 1
        heapq.heappush(self._due, (max(due, self.now), self._events, call))

    def advance(self, seconds: float) -> None:
        """Let time pass. Whatever is due on the way happens when it is due."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self._step()
        self.now = until

    def settle(self, most: int = 1_000_000) -> None:
        """Let time pass until nothing is under way. Raises LabError if that takes more than `most` events."""
        for _ in range(most):
            if not self._due:
                return
            self._step()
        raise LabError(f"after {most} events there is still something under way", code="lab_endless")

    def _step(self) -> None:
        self.now, _, call = heapq.heappop(self._due)
        call()

    # Packets -----------------------------------------------------------------------------------------

    def _forward(self, packet: Packet) -> None:
        deliver = self._public.get(packet.to.ip)
        if deliver is not None:  # nobody has that address: such packets get lost here as anywhere
            deliver(packet)


class Lan:
    """Hosts behind one router."""

    def __init__(self, network: Network, nat: NatType, addresses: Addresses) -> None:
        self.network = network
        self.type = nat
        self.nat: Nat | None = None
        self._hosts: dict[str, Host] = {}
        self._addresses: LanAddresses | None = None
        if nat is not NatType.OPEN:
            self.nat = Nat(nat, addresses.public(), network.random)
            self._addresses = addresses.lan()

    @property
    def public_address(self) -> str | None:
        """The router's, which the world sees instead of its hosts'; None behind "open", where each has its own."""
        return self.nat.address if self.nat is not None else None

    def host(self, name: str) -> Host:
        """A host in this LAN; behind "open" it is one with a public address."""
        if self._addresses is None:
            return self.network.host(name)
        host = Host(self.network, name, [self._addresses.host()], self._route)
        self._hosts[host.address] = host
        return host

    def enter(self, packet: Packet) -> None:
        """A packet from the internet has come to the router."""
        assert self.nat is not None
        inside = self.nat.enter(self.network.now, packet)
        if inside is not None:
            self._hosts[inside.to.ip].deliver(inside)

    def _route(self, packet: Packet) -> None:
        assert self.nat is not None
        assert self._addresses is not None
        if packet.to.ip in self._addresses:
            if (neighbour := self._hosts.get(packet.to.ip)) is not None:
                neighbour.deliver(packet)
        elif (outside := self.nat.leave(self.network.now, packet)) is not None:
            self.network._forward(outside)


class Host:
    """One machine with its link to the world."""

    def __init__(self, network: Network, name: str, addresses: list[str], route: Callable[[Packet], None]) -> None:
        self.network = network
        self.name = name
        self.addresses = addresses
        self.up = Link(network.random)
        self.down = Link(network.random)
        self._route = route
        self._sockets: dict[Address, Socket] = {}

    @property
    def address(self) -> str:
        """Its first address."""
        return self.addresses[0]

    def socket(self, port: int = 0, *, address: str | None = None) -> Socket:
        """A UDP socket; port 0 picks a free one. Raises LabError if the address is not ours or the port is taken."""
        ip = address or self.address
        if ip not in self.addresses:
            raise LabError(f"{self.name} does not have the address {ip}", code="lab_address")
        if port == 0:
            port = self._free_port(ip)
        elif Address(ip, port) in self._sockets:
            raise LabError(f"{self.name} uses port {port} already", code="lab_address")
        made = self._sockets[Address(ip, port)] = Socket(self, Address(ip, port))
        return made

    def deliver(self, packet: Packet) -> None:
        """A packet has reached this host's link."""

        def arrive() -> None:
            socket = self._sockets.get(packet.to)
            if socket is not None:
                socket.take(packet)

        self._carry(self.down, packet, arrive)

    def leave(self, packet: Packet) -> None:
        """A packet sets out."""
        self._carry(self.up, packet, lambda: self._route(packet))

    def close(self, socket: Socket) -> None:
        """The socket's port is free again."""
        self._sockets.pop(socket.address, None)

    def _free_port(self, ip: str) -> int:
        while True:
            port = self.network.random.choice(EPHEMERAL)
            if Address(ip, port) not in self._sockets:
                return port

    def _carry(self, link: Link, packet: Packet, arrive: Callable[[], None]) -> None:
        due = link.carry(self.network.now, len(packet.data) + HEADER_BYTES)
        if due is not None:
            self.network.at(due, arrive)


class Socket:
    """A UDP socket. Set `on_datagram` to be called for each datagram, or ask with `receive`."""

    def __init__(self, host: Host, address: Address) -> None:
        self.host = host
        self.address = address
        self.on_datagram: Callable[[bytes, Address], None] | None = None
        self._inbox: deque[tuple[bytes, Address]] = deque()

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        """On its way; whether it arrives is another matter."""
        self.host.leave(Packet(self.address, Address(*to), data))

    def receive(self) -> tuple[bytes, Address] | None:
        """The oldest datagram that has arrived and its source; None if there is none. Time does not pass."""
        return self._inbox.popleft() if self._inbox else None

    def take(self, packet: Packet) -> None:
        """A datagram has arrived."""
        if self.on_datagram is not None:
            self.on_datagram(packet.data, packet.source)
        else:
            self._inbox.append((packet.data, packet.source))

    def close(self) -> None:
        """What arrives from now on is lost."""
        self.host.close(self)
