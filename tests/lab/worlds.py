"""The kernel's lab and the simulator behind one face, so that one test can say what holds in both."""

from __future__ import annotations

import socket
from typing import Any, Protocol

from peerline.lab import Lab
from peerline.lab.sim import Network, Socket

Address = tuple[str, int]
_PATIENCE_S = 0.3  # over a good link a datagram is there before its sender's call returns; this is for the others


class Endpoint(Protocol):
    """A UDP socket somewhere in the world."""

    @property
    def address(self) -> Address: ...

    def send(self, data: bytes, to: Address) -> None: ...

    def receive(self, within_s: float = _PATIENCE_S) -> tuple[bytes, Address] | None:
        """The next datagram; None once nothing more is under way. A shaped link takes a moment of its own."""


class World(Protocol):
    """An internet."""

    @property
    def net(self) -> Any:
        """A Lab or a Network: `host`, `behind`, `shape`."""

    def open(self, host: Any, port: int = 0, address: str | None = None) -> Endpoint: ...

    def close(self) -> None: ...


class KernelWorld:
    def __init__(self, lab: Lab) -> None:
        self.net = lab
        self._sockets: list[socket.socket] = []

    def open(self, host: Any, port: int = 0, address: str | None = None) -> Endpoint:
        made = host.socket(port=port, address=address)
        self._sockets.append(made)
        return _KernelEndpoint(made)

    def close(self) -> None:
        for one in self._sockets:
            one.close()


class _KernelEndpoint:
    def __init__(self, made: socket.socket) -> None:
        self._socket = made
        self.address: Address = made.getsockname()

    def send(self, data: bytes, to: Address) -> None:
        self._socket.sendto(data, to)

    def receive(self, within_s: float = _PATIENCE_S) -> tuple[bytes, Address] | None:
        self._socket.settimeout(within_s)
        try:
            return self._socket.recvfrom(65_536)
        except TimeoutError:
            return None


class SimulatedWorld:
    def __init__(self, network: Network) -> None:
        self.net = network

    def open(self, host: Any, port: int = 0, address: str | None = None) -> Endpoint:
        return _SimulatedEndpoint(host.socket(port, address=address))

    def close(self) -> None:
        self.net.settle()


class _SimulatedEndpoint:
    def __init__(self, made: Socket) -> None:
        self._socket = made
        self.address: Address = made.address

    def send(self, data: bytes, to: Address) -> None:
        self._socket.send(data, to)

    def receive(self, within_s: float = _PATIENCE_S) -> tuple[bytes, Address] | None:
        self._socket.host.network.settle()
        return self._socket.receive()
