"""Fixtures: servers to be mistreated, clients of theirs, and a peer that gives back what it gets."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from client.certificates import make_certificate, trusting
from client.turn import TurnClient
from client.turn_message import Address
from peerline.engine.shared import shared_engine
from system.turn_process import TurnProcess
from turn.relayed import Alone, End, Ends, acquaint

ANN = ("--user", "ann:pass", "--user", "bob:word", "--allow-peer", "127.0.0.0/8", "--allow-peer", "::1/128")
SECRET = "a secret of these tests, of no other use"


class Server(TurnProcess):
    """A `peerline turn` with UDP, TCP and TLS on loopback."""

    def __init__(self, folder: Path, *flags: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        chain, key = make_certificate(folder)
        super().__init__(folder, "--turn-cert", str(chain), "--turn-key", str(key), *flags)
        self.certificate = chain
        self.trust: ssl.SSLContext = trusting(chain)
        self.is_killed = False

    def kill(self) -> None:
        """SIGKILL: it has no time to say anything."""
        self.is_killed = True
        self.tell(signal.SIGKILL)
        self.wait()

    def memory_bytes(self) -> int:
        rss: int = psutil.Process(self.process.pid).memory_info().rss
        return rss

    def limit_descriptors(self, count: int) -> None:
        """As `ulimit -n` does, for good."""
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (count, count))

    def assert_unharmed(self) -> None:
        """It lives, unless we have killed it, and no bug of it has shown itself."""
        assert self.process.poll() is None or self.is_killed, self.errors()
        assert not [word for word in ("Traceback", "panicked") if word in self.errors()], self.errors()


Serve = Callable[..., Server]
Come = Callable[..., Awaitable[TurnClient]]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that should not be able to harm it."""
    server = Server(tmp_path_factory.mktemp("turn"), *ANN, "--rest-secret", SECRET, "--no-limits")
    yield server
    try:
        server.assert_unharmed()
    finally:
        server.end()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server of the test's own: `serve(*ANN, "--shards", "1")`."""
    servers: list[Server] = []

    def start(*flags: str) -> Server:
        servers.append(Server(tmp_path / f"server{len(servers)}", *flags))
        return servers[-1]

    yield start
    try:
        for server in servers:
            server.assert_unharmed()
    finally:
        for server in servers:
            server.end()


@pytest.fixture
async def come() -> AsyncIterator[Come]:
    """Come in: `await come(server, "tcp", "bob", "word")`."""
    clients: list[TurnClient] = []

    async def enter(
        server: Server, kind: str = "udp", name: str = "ann", password: str = "pass", source: Address | None = None
    ) -> TurnClient:
        address = await asyncio.to_thread(server.address, kind)
        client = await TurnClient.connect(address, name, password, kind=kind, trust=server.trust, source=source)
        clients.append(client)
        return client

    yield enter
    for client in clients:
        # Its port is given to another some time, who is to find no allocation of it at a server that is shared.
        client.let_go()
        client.close()


@pytest.fixture(params=["udp", "tcp", "tls"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


class Echo(asyncio.DatagramProtocol):
    """A peer that gives back what it gets."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.append(data)
        self._transport.sendto(data, addr)

    @property
    def address(self) -> Address:
        host, port, *_ = self._transport.get_extra_info("sockname")
        return host, port


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    transport, peer = await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    yield peer
    transport.close()


async def relays(client: TurnClient, peer: Echo, channel: int = 0x4000) -> None:
    """Assert that data goes to the peer and back."""
    assert await client.bind(channel, peer.address) == 0
    client.send(channel.to_bytes(2, "big") + b"\0\4ping")
    assert await client.receive() == channel.to_bytes(2, "big") + b"\0\4ping"


def udp_socket(source: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Blocking, with patience."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((source, port))
    sock.settimeout(20)
    return sock


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    """Two sides that know each other's names and certificates, and trickle."""
    made: list[End] = []

    def pair(*, is_relay_only: bool = True) -> tuple[End, End]:
        one, other = (End(is_controlling=first, is_relay_only=is_relay_only) for first in (True, False))
        made.extend((one, other))
        acquaint(one, other)
        return one, other

    yield pair
    for end in made:
        end.transport.close()
    shared_engine().close()


@pytest.fixture
async def alone() -> AsyncIterator[Alone]:
    """A side without another."""
    made: list[End] = []

    def one() -> End:
        made.append(End(is_controlling=True))
        return made[-1]

    yield one
    for end in made:
        end.transport.close()
    shared_engine().close()
