"""The STUN server over real UDP on loopback (RFC 8489). Messages are built here by hand, apart from our own codec."""

import asyncio
import os
import socket
import struct
import time
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peerline.engine import Engine, StunListener

COOKIE = 0x2112A442
BINDING_REQUEST, BINDING_INDICATION, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0011, 0x0101, 0x0111
ALLOCATE_REQUEST = 0x0003
ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS, SOFTWARE, FINGERPRINT = 0x0009, 0x000A, 0x0020, 0x8022, 0x8028
PATIENCE_S = 20.0

Attributes = list[tuple[int, bytes]]


def message(kind: int, attributes: Attributes | None = None, fingerprint: bool = False) -> bytes:
    body = b"".join(
        struct.pack("!HH", number, len(value)) + value + bytes(-len(value) % 4) for number, value in attributes or []
    )
    length = len(body) + (8 if fingerprint else 0)
    packet = struct.pack("!HHI", kind, length, COOKIE) + os.urandom(12) + body
    if fingerprint:
        packet += struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(packet) ^ 0x5354554E)
    return packet


def parse(packet: bytes) -> tuple[int, bytes, dict[int, bytes]]:
    kind, length, cookie = struct.unpack_from("!HHI", packet)
    assert (cookie, length) == (COOKIE, len(packet) - 20)
    attributes = {}
    position = 20
    while position < len(packet):
        number, size = struct.unpack_from("!HH", packet, position)
        attributes[number] = packet[position + 4 : position + 4 + size]
        position += 4 + size + -size % 4
    return kind, packet[8:20], attributes


def mapped_address(packet: bytes) -> tuple[str, int]:
    kind, transaction, attributes = parse(packet)
    assert kind == BINDING_SUCCESS
    value = attributes[XOR_MAPPED_ADDRESS]
    family = {1: socket.AF_INET, 2: socket.AF_INET6}[value[1]]
    mask = struct.pack("!I", COOKIE) + transaction
    ip = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
    return socket.inet_ntop(family, ip), struct.unpack("!H", value[2:4])[0] ^ COOKIE >> 16


class Client:
    """A UDP socket that knows one server."""

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        # Connected: an answer from any other address than the one that was asked never arrives.
        self.socket.connect((host, port))

    def ask(self, packet: bytes) -> bytes:
        self.socket.send(packet)
        return self.socket.recv(2048)

    def is_ignored(self, packet: bytes) -> bool:
        """Sends a plain request behind it: datagrams keep their order on loopback, so the first answer tells."""
        probe = message(BINDING_REQUEST)
        self.socket.send(packet)
        return self.ask(probe)[8:20] == probe[8:20]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(shards=1) as engine:
        yield engine


@pytest.fixture(scope="module")
def server(engine: Engine) -> StunListener:
    return engine.stun_listen("127.0.0.1", 0, answers_per_second=None)


@pytest.fixture
def client(server: StunListener) -> Iterator[Client]:
    client = Client(*server.address)
    with client.socket:
        yield client


@pytest.mark.parametrize(("host", "size"), [("127.0.0.1", 32), ("::1", 44)])
def test_a_client_learns_its_own_address(engine: Engine, host: str, size: int) -> None:
    client = Client(*engine.stun_listen(host, 0).address)
    with client.socket:
        answer = client.ask(message(BINDING_REQUEST))
        assert len(answer) == size
        assert mapped_address(answer) == client.socket.getsockname()[:2]


def test_both_families_share_a_port(engine: Engine) -> None:
    listener = engine.stun_listen("0.0.0.0", 0)
    try:
        sibling = engine.stun_listen("::", listener.port)
    except OSError:
        pytest.skip("somebody else has this port on IPv6")
    assert sibling.port == listener.port
    for host in ("127.0.0.1", "::1"):
        client = Client(host, listener.port)
        with client.socket:
            assert mapped_address(client.ask(message(BINDING_REQUEST))) == client.socket.getsockname()[:2]


def test_a_wildcard_listener_answers_from_the_address_that_was_asked(engine: Engine) -> None:
    listener = engine.stun_listen("0.0.0.0", 0)
    # Linux takes all of 127.0.0.0/8 as its own; a connected socket hears only whom it asked.
    client = Client("127.0.0.77", listener.port)
    with client.socket:
        assert len(client.ask(message(BINDING_REQUEST))) == 32


def test_the_transaction_is_the_clients(client: Client) -> None:
    request = message(BINDING_REQUEST)
    assert client.ask(request)[8:20] == request[8:20]


def test_a_fingerprint_is_answered_with_one(client: Client) -> None:
    answer = client.ask(message(BINDING_REQUEST, fingerprint=True))
    assert len(answer) == 40
    fingerprint = parse(answer)[2][FINGERPRINT]
    assert fingerprint == struct.pack("!I", zlib.crc32(answer[:-8]) ^ 0x5354554E)


def test_unknown_attributes_that_must_be_understood_get_420(client: Client) -> None:
    request = message(BINDING_REQUEST, [(0x0003, bytes(4)), (SOFTWARE, b"test"), (0x7ABC, b"x")])
    kind, transaction, attributes = parse(client.ask(request))
    assert (kind, transaction) == (BINDING_ERROR, request[8:20])
    assert attributes == {ERROR_CODE: b"\0\0\x04\x14", UNKNOWN_ATTRIBUTES: b"\x00\x03\x7a\xbc"}


def test_unknown_attributes_that_may_be_ignored_are_ignored(client: Client) -> None:
    request = message(BINDING_REQUEST, [(SOFTWARE, b"a browser"), (0xFFFE, b"?")])
    assert len(client.ask(request)) == 32


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="noise"),
        pytest.param(message(BINDING_REQUEST)[:19], id="19 bytes"),
        pytest.param(message(BINDING_REQUEST) + bytes(4), id="longer than it says"),
        pytest.param(message(BINDING_REQUEST, [(SOFTWARE, b"abcd")])[:-4], id="shorter than it says"),
        pytest.param(b"\0\1\0\0" + bytes(16), id="RFC 3489, no cookie"),
        pytest.param(b"\x80" + message(BINDING_REQUEST)[1:], id="RTP"),
        pytest.param(b"\x40\x00\x00\x10" + bytes(16), id="ChannelData"),
        pytest.param(message(BINDING_INDICATION), id="indication"),
        pytest.param(message(BINDING_SUCCESS), id="success response"),
        pytest.param(message(BINDING_ERROR), id="error response"),
        pytest.param(message(ALLOCATE_REQUEST), id="another method"),
        pytest.param(message(BINDING_REQUEST, fingerprint=True)[:-1] + b"!", id="wrong FINGERPRINT"),
        pytest.param(message(BINDING_REQUEST, [(FINGERPRINT, bytes(4)), (SOFTWARE, b"")]), id="FINGERPRINT not last"),
        pytest.param(
            message(BINDING_REQUEST, [(SOFTWARE, b"abcd")]).replace(b"\0\4abcd", b"\xff\4abcd"), id="attribute too long"
        ),
    ],
)
def test_what_is_no_clean_request_gets_silence(client: Client, packet: bytes) -> None:
    assert client.is_ignored(packet)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=120), with_cookie=st.booleans())
def test_noise_never_stops_the_server(client: Client, noise: bytes, with_cookie: bool) -> None:
    if with_cookie:
        noise = struct.pack("!HHI", BINDING_REQUEST, len(noise), COOKIE) + bytes(12) + noise
    client.socket.send(noise)
    probe = message(BINDING_REQUEST)
    answer = client.ask(probe)
    while answer[8:20] != probe[8:20]:
        # Noise can be a clean request by chance; then its own answer came first.
        answer = client.socket.recv(2048)
    assert mapped_address(answer) == client.socket.getsockname()


def test_a_source_that_asks_too_often_is_cut_off(engine: Engine) -> None:
    before = engine.stats()
    client = Client(*engine.stun_listen("127.0.0.1", 0, answers_per_second=1, burst=5).address)
    with client.socket:
        for _ in range(5):
            assert len(client.ask(message(BINDING_REQUEST))) == 32
        for _ in range(50):
            client.socket.send(message(BINDING_REQUEST))
        # Silence cannot be waited for; the count of what has arrived can.
        given_up = time.monotonic() + PATIENCE_S
        while (after := engine.stats()).stun_received < before.stun_received + 55:
            assert time.monotonic() < given_up, after
    assert after.stun_rate_limited > before.stun_rate_limited
    assert after.stun_answered - before.stun_answered < 55


def test_every_datagram_is_counted_once() -> None:
    with Engine(shards=1) as engine:
        client = Client(*engine.stun_listen("127.0.0.1", 0).address)
        with client.socket:
            client.ask(message(BINDING_REQUEST))
            client.ask(message(BINDING_REQUEST, [(0x7ABC, b"")]))
            assert client.is_ignored(b"noise")
            assert client.is_ignored(message(BINDING_INDICATION))
        stats = engine.stats()
    assert (stats.stun_received, stats.stun_answered, stats.stun_refused) == (6, 3, 1)
    assert (stats.stun_malformed, stats.stun_unserved, stats.stun_dropped) == (1, 1, 2)
    assert (stats.send_failed, stats.receive_failed) == (0, 0)


async def test_an_asyncio_client_is_served_while_the_loop_is_attached() -> None:
    loop = asyncio.get_running_loop()
    with Engine(shards=1) as engine:
        engine.attach(loop)
        listener = engine.stun_listen("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.bind(("127.0.0.1", 0))
            async with asyncio.timeout(PATIENCE_S):
                await loop.sock_sendto(client, message(BINDING_REQUEST), listener.address)
                answer = await loop.sock_recv(client, 2048)
            assert mapped_address(answer) == client.getsockname()
