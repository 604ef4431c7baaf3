"""`peerline turn --tcp-relays` (RFC 6062), seen by a client of its own: connections to a peer, and from one."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from client.certificates import make_certificate, trusting
from client.turn import ALLOCATE, PATIENCE_S, TRANSPORT, TurnClient
from client.turn_message import PEER, RELAYED, Address, address_in, attributes_of
from system.turn_process import TurnProcess

CONNECT, CONNECTION_BIND, CONNECTION_ATTEMPT = 0x00A, 0x00B, 0x01C
CONNECTION_ID = 0x2A
ANN = ("--user", "ann:pass", "--allow-peer", "127.0.0.0/8", "--shards", "2")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Place:
    """A server, and how clients come to it."""

    process: TurnProcess
    kind: str
    trust: ssl.SSLContext

    async def come(self) -> TurnClient:
        address = await asyncio.to_thread(self.process.address, self.kind)
        return await TurnClient.connect(address, "ann", "pass", kind=self.kind, trust=self.trust)


@pytest.fixture(params=["tcp", "tls"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    chain, key = make_certificate(tmp_path)
    process = TurnProcess(tmp_path, *ANN, "--tcp-relays", "--turn-cert", str(chain), "--turn-key", str(key))
    yield Place(process, request.param, trusting(chain))
    process.end()
    assert "Traceback" not in process.errors(), process.errors()


@pytest.fixture
async def ann(place: Place) -> AsyncIterator[TurnClient]:
    client = await place.come()
    yield client
    client.close()


async def allocate(client: TurnClient) -> Address:
    """A relay for TCP."""
    status, found = await client.ask(ALLOCATE, [(TRANSPORT, bytes([6, 0, 0, 0]))])
    assert status == 0
    return address_in(found[RELAYED])


async def join(place: Place, ann: TurnClient, number: bytes) -> Streams:
    """A connection that is one with this one of a peer."""
    data = await place.come()
    data.realm, data.nonce = ann.realm, ann.nonce  # good for all connections of a client
    assert (await data.ask(CONNECTION_BIND, [(CONNECTION_ID, number)]))[0] == 0
    transport, reader = data.transport, asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    return reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())


async def exchange(near: Streams, far: Streams, kind: str) -> None:
    """A megabyte each way, and the end of it."""
    async with asyncio.timeout(PATIENCE_S):
        for (_, to), (of, _), letter in ((near, far, b"n"), (far, near, b"f")):
            to.write(letter * 1_000_000)
            assert await of.readexactly(1_000_000) == letter * 1_000_000
        if kind == "tcp":  # asyncio has no half of a TLS connection to close
            near[1].write_eof()
            assert await far[0].read() == b""
        far[1].write(b"the last word")
        far[1].close()
        assert await near[0].read() == b"the last word"
        near[1].close()


async def test_a_client_reaches_a_peer_over_tcp(place: Place, ann: TurnClient) -> None:
    arrived: asyncio.Queue[Streams] = asyncio.Queue()
    peer = await asyncio.start_server(lambda *streams: arrived.put_nowait(streams), "127.0.0.1", 0)
    relayed = await allocate(ann)
    for _ in range(6):  # so that both shards have had one
        status, found = await ann.ask(CONNECT, [(PEER, peer.sockets[0].getsockname())])
        assert status == 0
        far = await arrived.get()
        assert far[1].get_extra_info("peername") == relayed
        await exchange(await join(place, ann, found[CONNECTION_ID]), far, place.kind)
    peer.close()
    assert (await ann.ask(CONNECT, [(PEER, ("127.0.0.1", 1))]))[0] == 403
    assert (await ann.ask(CONNECT, [(PEER, await unused())]))[0] == 447


async def unused() -> Address:
    """An address where nobody listens."""
    probe = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    address: Address = probe.sockets[0].getsockname()
    probe.close()
    await probe.wait_closed()
    return address


async def test_a_peer_that_is_permitted_reaches_the_client(place: Place, ann: TurnClient) -> None:
    relayed = await allocate(ann)
    reader, writer = await asyncio.open_connection(*relayed)
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b"", "not permitted yet"
    writer.close()
    assert await ann.permit(("127.0.0.1", 0)) == 0
    far = await asyncio.open_connection(*relayed)
    attempt = await ann.receive()
    assert struct.unpack_from("!H", attempt) == (CONNECTION_ATTEMPT,)
    found = attributes_of(attempt)
    assert address_in(found[PEER]) == far[1].get_extra_info("sockname")
    await exchange(await join(place, ann, found[CONNECTION_ID]), far, place.kind)


async def test_it_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    chain, _ = make_certificate(tmp_path)
    process = TurnProcess(tmp_path, *ANN)
    try:
        client = await Place(process, "tcp", trusting(chain)).come()
        assert (await client.ask(ALLOCATE, [(TRANSPORT, bytes([6, 0, 0, 0]))]))[0] == 442
        client.close()
    finally:
        process.end()
