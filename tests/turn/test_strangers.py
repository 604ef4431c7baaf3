"""What somebody gets who has not shown who it is: little, seldom, and no place in memory (RFC 8489 §16.1)."""

from __future__ import annotations

import asyncio
import time

import pytest

from client.turn import ALLOCATE, BINDING, CREATE_PERMISSION, REFRESH, TRANSPORT
from client.turn_message import INTEGRITY, LIFETIME, NONCE
from turn.conftest import ANN, Come, Echo, Serve, Server, relays, udp_socket
from turn.draft import Pairs, credentials, key_of, message, sealed, status_of, with_fingerprint

UDP = (TRANSPORT, bytes([17, 0, 0, 0]))
GROWTH = 3.6
SOURCES = 30_000
MORE = 16 << 20


async def test_a_binding_answer_is_32_bytes_and_44_for_ipv6(serve: Serve, come: Come) -> None:
    for flags, size in ((ANN, 32), ((*ANN, "--host", "::1"), 44)):
        client = await come(serve(*flags))
        client.send(message(BINDING))
        assert len(await client.receive()) == size


QUESTIONS: dict[str, Pairs] = {
    "nothing": [],
    "a transport": [UDP],
    "a lifetime": [(LIFETIME, bytes(4))],
    "a user name": [(0x06, b"ann")],
    "a nonce": [(NONCE, bytes(64))],
    "SOFTWARE": [(0x8022, b"somebody's client, version 1.2.3")],
    "what must be understood": [(number, b"") for number in range(0x7000, 0x7040)],
    "a seal": [(INTEGRITY, bytes(20))],
    "everything wrong": [(0x06, b"ann"), (0x14, b"peerline"), (NONCE, b"obMatJos2gAAA"), (INTEGRITY, bytes(20))],
}


@pytest.mark.parametrize("method", [BINDING, ALLOCATE, REFRESH, CREATE_PERMISSION])
@pytest.mark.parametrize("attributes", QUESTIONS.values(), ids=QUESTIONS)
async def test_no_answer_is_more_than_3_6_times_the_question(
    shared: Server, come: Come, kind: str, method: int, attributes: Pairs
) -> None:
    client = await come(shared, kind)
    for question in (message(method, attributes), with_fingerprint(message(method, attributes))):
        client.send(question)
        answer = await client.receive()
        assert answer[8:20] == question[8:20]
        assert len(answer) <= GROWTH * len(question)


@pytest.mark.parametrize("of", ["Binding", "401", "400", "438"])
async def test_one_source_gets_fifty_answers_a_second_and_no_other_notices(
    serve: Serve, come: Come, echo: Echo, of: str
) -> None:
    server = serve(*ANN, "--shards", "1")
    ann = await come(server)
    began = time.monotonic()
    assert (await ann.allocate())[0] == 0
    questions = {
        "Binding": message(BINDING),
        "401": message(ALLOCATE, [UDP]),
        "400": message(ALLOCATE),
        "438": sealed(message(REFRESH, credentials(ann)), key_of(ann)),
    }
    with udp_socket() as stranger, udp_socket("127.0.0.2") as other:
        stranger.setblocking(False)
        stranger.connect(server.address("udp"))
        answered = 0
        for number in range(2_000):
            stranger.send(questions[of])
            if number % 50 == 0:
                # Who is known is answered at once, also from the same address; all that came before has been handled.
                assert await ann.refresh() == 0
                answered += count_waiting(stranger)
        assert await ann.refresh() == 0
        answered += count_waiting(stranger)
        took_s = time.monotonic() - began
        assert 90 <= answered <= 100 + 50 * (took_s + 1), "a hundred at once and fifty a second"
        other.sendto(message(BINDING), server.address("udp"))
        assert status_of(await asyncio.to_thread(other.recv, 100)) == 0
    await relays(ann, echo)


def count_waiting(sock: object) -> int:
    count = 0
    while True:
        try:
            sock.recv(2000)  # type: ignore[attr-defined]
        except BlockingIOError:
            return count
        count += 1


@pytest.mark.parametrize("question", [message(BINDING), message(ALLOCATE, [UDP])], ids=["Binding", "Allocate"])
async def test_a_flood_from_many_sources_fills_no_memory(serve: Serve, come: Come, echo: Echo, question: bytes) -> None:
    server = serve(*ANN, "--shards", "1")
    ann = await come(server)
    assert (await ann.allocate())[0] == 0
    await relays(ann, echo)
    before = server.memory_bytes()
    for number in range(SOURCES):
        source = f"127.{1 + (number >> 16)}.{number >> 8 & 0xFF}.{number & 0xFF or 1}"
        with udp_socket(source) as stranger:
            stranger.sendto(question, server.address("udp"))
        if number % 200 == 0:
            assert await ann.refresh() == 0
    assert server.memory_bytes() - before < MORE
    await relays(ann, echo)
