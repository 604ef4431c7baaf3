"""The lab itself: a switch that plays the internet, routers of every NAT type, and hosts.

    ann 10.1.0.2 ── router of ann's LAN 203.0.113.2 ──┐
                                                      ├── internet ── server 203.0.113.1
    bob 10.2.0.2 ── router of bob's LAN 203.0.113.3 ──┘

Each of them is a network namespace, each cable a veth pair. All bridges live in one more namespace, the switch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from peerline.lab import rules, runs
from peerline.lab.addresses import NOWHERE, PREFIX, Addresses, LanAddresses
from peerline.lab.errors import LabError
from peerline.lab.host import INTERFACE, Host
from peerline.lab.link import Quality, ways
from peerline.lab.namespace import Namespace
from peerline.lab.nat_type import NatType
from peerline.lab.ready import what_is_missing
from peerline.lab.shaper import Shaper

INTERNET = "internet"


class Lab:
    """An internet. Use it in `with`, or `close` it: then all that was made is gone, and all that ran in it has ended.

    The seed decides which packets a bad link loses. Raises LabError where there can be no lab (`what_is_missing`).
    """

    def __init__(self, seed: int = 0) -> None:
        missing = what_is_missing()
        if missing is not None:
            raise LabError(missing, code="lab_missing")
        self._seed = seed
        self._prefix = runs.claim()
        self._addresses = Addresses()
        self._namespaces: list[Namespace] = []
        self._shapers: dict[str, Shaper] = {}
        self._ports = 0
        try:
            self._switch = self._namespace("switch")
            self._bridge(INTERNET)
        except BaseException:
            self.close()
            raise

    def host(self, name: str, *, addresses: int = 1) -> Host:
        """A machine with so many public addresses, and nothing between it and the internet."""
        return self._host(name, INTERNET, [self._addresses.public() for _ in range(addresses)])

    def behind(self, nat: str | NatType) -> Lan:
        """A LAN behind a router of its own of this type, "symmetric" for example. Raises LabError for unknown ones."""
        return Lan(self, NatType.named(nat), self._addresses)

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
        """Make a host's link worse, or good again; the words are those of `Quality`, and what is not named is perfect.

        It holds at once, for what the host sends ("up"), what it gets ("down"), or both.
        """
        wanted, (up, down) = Quality(loss, rate_bps, delay_s, queue_s), ways(direction)
        shaper = self._shapers[host.port]
        if up:
            shaper.up = wanted
        if down:
            shaper.down = wanted
        shaper.apply()

    def close(self) -> None:
        """End everything and remove it. Closing again does nothing."""
        for shaper in self._shapers.values():
            shaper.close()
        self._shapers.clear()
        while self._namespaces:
            self._namespaces.pop().remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What it is made of ------------------------------------------------------------------------------

    def _namespace(self, name: str) -> Namespace:
        if any(one.name == self._prefix + name for one in self._namespaces):
            raise LabError(f"the lab has a {name!r} already", code="lab_name")
        made = Namespace(self._prefix + name)
        self._namespaces.append(made)  # before it is made: what is half made is removed, too
        return Namespace.make(made.name)

    def _bridge(self, name: str) -> None:
        self._switch.ip(f"link add {name} type bridge", f"link set {name} up")

    def _plug(self, namespace: Namespace, interface: str, bridge: str, addresses: Sequence[str]) -> str:
        """A cable from the namespace to a bridge; returns the name of the cable's end there."""
        self._ports += 1
        port = f"p{self._ports}"
        self._switch.ip(
            f"link add {port} type veth peer name {interface} netns {namespace.name}",
            f"link set {port} master {bridge} up",
        )
        namespace.ip(*(f"addr add {one}/{PREFIX} dev {interface}" for one in addresses), f"link set {interface} up")
        return port

    def _host(self, name: str, bridge: str, addresses: Sequence[str], gateway: str | None = None) -> Host:
        namespace = self._namespace(name)
        host = Host(name, namespace, addresses, self._plug(namespace, INTERFACE, bridge, addresses))
        if gateway is not None:
            namespace.ip(f"route add default via {gateway}")
        else:
            _lead_nowhere(namespace, INTERFACE)
        self._shapers[host.port] = Shaper(self._switch, bridge, host, self._seed + self._ports)
        return host

    def _router(self, nat: NatType, public: str, lan: LanAddresses) -> str:
        bridge = f"lan{lan.number}"
        self._bridge(bridge)
        router = self._namespace(f"router{lan.number}")
        self._plug(router, rules.OUTSIDE, INTERNET, [public])
        self._plug(router, rules.INSIDE, bridge, [lan.router])
        _lead_nowhere(router, rules.OUTSIDE)
        router.nft(rules.rules(nat, public))
        router.set("net.ipv4.ip_forward", 1)
        return bridge


def _lead_nowhere(namespace: Namespace, interface: str) -> None:
    """Packets to addresses that nobody has vanish, as on the internet, and no error tells their sender."""
    namespace.ip(
        f"neigh add {NOWHERE} lladdr 02:00:00:00:00:01 dev {interface} nud permanent",
        f"route add default via {NOWHERE}",
    )


class Lan:
    """Hosts that share one router, and so one public address."""

    def __init__(self, lab: Lab, nat: NatType, addresses: Addresses) -> None:
        self.type = nat
        self.public_address: str | None = None
        """The router's, which the world sees instead of its hosts'; None behind "open", where each has its own."""
        self._lab = lab
        self._addresses: LanAddresses | None = None
        self._bridge = INTERNET
        if nat is not NatType.OPEN:
            self.public_address = addresses.public()
            self._addresses = addresses.lan()
            self._bridge = lab._router(nat, self.public_address, self._addresses)

    def host(self, name: str) -> Host:
        """A machine in this LAN. Behind "open" it is one with a public address."""
        if self._addresses is None:
            return self._lab.host(name)
        return self._lab._host(name, self._bridge, [self._addresses.host()], self._addresses.router)
