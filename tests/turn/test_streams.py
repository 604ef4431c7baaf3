"""Clients that abuse a connection: too slow, too much, nothing, half of it (RFC 8656 §2.1)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct

import pytest

from client.turn import ALLOCATE, BINDING, TRANSPORT, TurnClient
from client.turn_message import RELAYED, Address, address_in
from system.conftest import until
from turn.conftest import ANN, Come, Echo, Serve, Server, relays, udp_socket
from turn.draft import message, with_length

UDP = (TRANSPORT, bytes([17, 0, 0, 0]))
BIND = message(BINDING)
MORE = 32 << 20
CROWD = 1_500
STRANGERS_OF_A_SOURCE = 1_024


@pytest.fixture(params=["tcp", "tls"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def dial(server: Server, kind: str, source: Address = ("127.0.0.1", 0)) -> Line:
    """A connection that nothing has been said on."""
    host, port = await asyncio.to_thread(server.address, kind)
    trust = server.trust if kind == "tls" else None
    return await asyncio.open_connection(host, port, ssl=trust, local_addr=source)


async def is_closed(line: Line) -> bytes:
    """Wait until the server has closed it; what came before."""
    async with asyncio.timeout(40):
        try:
            return await line[0].read()
        except (ConnectionResetError, ssl.SSLError):
            return b""


SLOW: dict[str, list[bytes]] = {
    "nothing": [],
    "half a header": [BIND[:10]],
    "all but the last byte": [BIND[:-1]],
    "a byte now and then": [bytes([byte]) for byte in BIND[:-1]],
    "half of ChannelData": [b"\x40\0\xff\xff" + bytes(1000)],
    "HTTP, which begins as ChannelData does": [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    "a length of 65,532 that does not come": [with_length(BIND, 65_532)],
}


async def test_who_says_nothing_whole_is_shown_the_door(shared: Server, come: Come, echo: Echo) -> None:
    async def dawdle(kind: str, pieces: list[bytes]) -> None:
        line = await dial(shared, kind) if kind != "no handshake" else await dial_plainly(shared)
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                line[1].write(piece)
                await line[1].drain()
                await asyncio.sleep(0.3)
        said = await is_closed(line)
        assert said == b"" or kind == "no handshake"
        line[1].close()

    ann = await come(shared, "tcp")
    assert (await ann.allocate())[0] == 0
    hello = client_hello()
    beginnings = [[], [hello[:1]], [hello[:100]], [hello], [b"\x16\x03\x01\x40\x00" + bytes(50)]]
    await asyncio.gather(
        *(dawdle(kind, pieces) for kind in ("tcp", "tls") for pieces in SLOW.values()),
        *(dawdle("no handshake", pieces) for pieces in beginnings),
    )
    await relays(ann, echo)


def client_hello() -> bytes:
    """Of a client that says nothing after it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        half.do_handshake()
    return outgoing.read()


async def dial_plainly(server: Server) -> Line:
    """TCP to the TLS port."""
    return await asyncio.open_connection(*await asyncio.to_thread(server.address, "tls"))


WRONG: dict[str, bytes] = {
    "a TLS ClientHello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),
    "zeros": bytes(100),
    "ones": b"\xff" * 100,
    "another cookie": message(BINDING, cookie=1),
    "a length of 65,535": with_length(BIND, 65_535),
    "a length that is no multiple of four": with_length(BIND, 6) + bytes(6),
    "a number that is no channel's": b"\x80\0\0\4abcd",
    "noise": b"\xc0" + os.urandom(5000),
}


@pytest.mark.parametrize("garbage", WRONG.values(), ids=WRONG)
async def test_garbage_ends_the_connection_and_its_allocation(
    shared: Server, come: Come, echo: Echo, kind: str, garbage: bytes
) -> None:
    ann, other = await come(shared, kind), await come(shared, kind)
    status, found = await ann.allocate()
    assert status == 0
    relayed = address_in(found[RELAYED])
    assert (await other.allocate())[0] == 0
    ann.send(garbage)
    await until(ann.transport.is_closing, "the server has hung up")
    await is_free(relayed)
    await relays(other, echo)


async def is_free(address: Address) -> None:
    """Wait until the relay is closed: its port can be had."""

    def can_be_bound() -> bool:
        try:
            udp_socket(*address).close()
        except OSError:
            return False
        return True

    await until(can_be_bound, "the relay is closed")


@pytest.mark.parametrize("is_rude", [False, True], ids=["closed", "reset"])
async def test_a_connection_that_ends_in_the_middle_of_a_message_frees_its_relay(
    shared: Server, come: Come, kind: str, is_rude: bool
) -> None:
    ann = await come(shared, kind)
    status, found = await ann.allocate()
    assert status == 0
    ann.transport.write(BIND[:13])
    if is_rude:
        linger = struct.pack("ii", 1, 0)
        ann.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        ann.transport.abort()
    else:
        ann.close()
    await is_free(address_in(found[RELAYED]))


async def test_messages_may_come_in_any_pieces(shared: Server, come: Come, echo: Echo, kind: str) -> None:
    ann = await come(shared, kind)
    assert (await ann.allocate())[0] == 0
    await relays(ann, echo)
    data = b"".join(
        b"\x40\0" + struct.pack("!H", size) + bytes([size]) * size + bytes(-size % 4) for size in range(1, 60)
    )
    for byte in data:
        ann.transport.write(bytes([byte]))
        await asyncio.sleep(0)
    ann.transport.write(data)
    came = [await ann.receive() for _ in range(2 * 59)]
    assert sorted(packet[4] for packet in came) == sorted([*range(1, 60)] * 2)
    assert all(packet[4:] == bytes([packet[4]]) * packet[4] for packet in came)


async def test_the_longest_message_and_the_longest_channel_data(
    shared: Server, come: Come, echo: Echo, kind: str
) -> None:
    long, ann = await come(shared, kind), await come(shared, kind)
    assert (await ann.allocate())[0] == 0
    long.transport.write(with_length(BIND, 65_532) + struct.pack("!HH", 0x8022, 65_528) + bytes(65_528))
    ann.transport.write(b"\x40\0\xff\xff" + bytes(65_536))  # of a channel that is not bound
    await relays(ann, echo)
    other = await come(shared, kind)
    assert (await other.allocate())[0] == 0


async def test_who_does_not_read_costs_a_little_memory_and_nobody_else(
    serve: Serve, come: Come, echo: Echo, kind: str
) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "1")
    deaf, ann = await come(server, kind), await come(server, kind)
    status, found = await deaf.allocate()
    assert status == 0
    assert (await ann.allocate())[0] == 0
    with udp_socket() as peer:
        assert await deaf.bind(0x4000, peer.getsockname()) == 0
        deaf.transport.pause_reading()
        before = server.memory_bytes()
        for number in range(40_000):
            peer.sendto(bytes(1200), address_in(found[RELAYED]))
            if number % 100 == 0:
                assert await ann.refresh() == 0
    assert server.memory_bytes() - before < MORE
    await relays(ann, echo)
    deaf.transport.resume_reading()
    async with asyncio.timeout(20):
        deaf.send(message(BINDING))
        while (await deaf.receive())[:2] != b"\x01\x01":  # it goes on where it was
            pass


async def test_who_asks_and_asks_and_does_not_listen_is_cut_off(
    serve: Serve, come: Come, echo: Echo, kind: str
) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "1")
    ann = await come(server, kind)
    assert (await ann.allocate())[0] == 0
    before = server.memory_bytes()
    line = await dial(server, kind)

    async def ask_and_ask() -> None:
        for _ in range(5_000):  # 100 MB, more than all buffers on the way
            line[1].write(BIND * 1_000)
            await line[1].drain()
            await asyncio.sleep(0)  # drain does not always let the loop see that the line is gone

    with pytest.raises(ConnectionError):
        await ask_and_ask()
    assert server.memory_bytes() - before < MORE
    await relays(ann, echo)


async def test_a_crowd_from_one_source_is_bounded_and_the_next_street_gets_in(
    serve: Serve, come: Come, echo: Echo, kind: str
) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "1")
    ann = await come(server, kind)
    assert (await ann.allocate())[0] == 0
    await asyncio.to_thread(server.address, "tls")
    before = server.memory_bytes()
    with contextlib.ExitStack() as held:
        crowd = [held.enter_context(knock(server, kind, "127.0.0.1")) for _ in range(CROWD)]
        assert await ann.refresh() == 0
        await until(lambda: sum(map(is_turned_away, crowd)) >= CROWD - STRANGERS_OF_A_SOURCE, "the crowd is bounded")
        assert server.memory_bytes() - before < 4 * MORE
        line = await dial(server, kind, ("127.0.0.2", 0))
        line[1].write(message(ALLOCATE, [UDP]))
        async with asyncio.timeout(20):
            assert (await line[0].readexactly(20))[:2] == b"\x01\x13"
        line[1].close()
        await relays(ann, echo)


def knock(server: Server, kind: str, source: str) -> socket.socket:
    """A connection that says nothing; to TLS, half of a handshake."""
    sock = socket.socket()
    sock.bind((source, 0))
    sock.connect(server.address(kind))
    sock.setblocking(False)
    if kind == "tls":
        sock.send(b"\x16\x03\x01\x02\x00\x01")
    return sock


def is_turned_away(sock: socket.socket) -> bool:
    try:
        return sock.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


async def test_a_thousand_who_come_and_go_leave_nothing(serve: Serve, come: Come, echo: Echo, kind: str) -> None:
    server = serve(*ANN, "--no-limits", "--shards", "2")

    async def come_and_go(rounds: int) -> None:
        for _ in range(rounds):
            client = await TurnClient.connect(server.address(kind), "ann", "pass", kind=kind, trust=server.trust)
            assert (await client.allocate())[0] == 0
            client.transport.abort()

    await come_and_go(200)
    before = server.memory_bytes()
    await asyncio.gather(*(come_and_go(100) for _ in range(8)))
    assert server.memory_bytes() - before < MORE
    await relays_after_all(server, come, echo, kind)


async def relays_after_all(server: Server, come: Come, echo: Echo, kind: str) -> None:
    ann = await come(server, kind)
    assert (await ann.allocate())[0] == 0
    await relays(ann, echo)
