"""What is no message, or makes no sense: silence, or the right error, and nothing has changed (RFC 8489 §6.3)."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Callable

import pytest

from client.turn import ALLOCATE, BINDING, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, TRANSPORT, TurnClient
from client.turn_message import DATA, INTEGRITY, LIFETIME, NONCE, PEER, REALM, attributes_of, xored
from turn.conftest import Come, Echo, Server, relays
from turn.draft import (
    ERROR,
    FINGERPRINT,
    INDICATION,
    SUCCESS,
    UNKNOWN_ATTRIBUTES,
    USERNAME,
    Pairs,
    credentials,
    key_of,
    message,
    sealed,
    status_of,
    with_attribute,
    with_fingerprint,
    with_length,
)

UDP = (TRANSPORT, bytes([17, 0, 0, 0]))
CHANNEL, FAMILY, EVEN_PORT, TOKEN, TICKET = 0x0C, 0x17, 0x18, 0x22, 0x8030
SEND, DATA_METHOD, CONNECT = 0x006, 0x007, 0x00A
BIND = message(BINDING)

SILENT: dict[str, bytes] = {
    "nothing at all": b"",
    "one byte": b"\0",
    "19 bytes": BIND[:19],
    "21 bytes": BIND + b"\0",
    "a length past the end": with_length(BIND, 4),
    "a length of 65,535": with_length(BIND, 65_535),
    "a length of 65,532": with_length(BIND, 65_532),
    "a length that ends too early": with_length(with_attribute(BIND, 0x8022, b"four"), 0),
    "a length that is no multiple of four": with_length(with_attribute(BIND, 0x8022, b"four"), 7),
    "another cookie": message(BINDING, cookie=0x2112A443),
    "the cookie of RFC 3489, which is none": message(BINDING, cookie=0),
    "an attribute past the end": with_length(BIND + struct.pack("!HH", 0x8022, 5) + b"four", 8),
    "an attribute of 65,535 bytes": with_length(BIND + struct.pack("!HH", 0x8022, 65_535) + b"four", 8),
    "a wrong FINGERPRINT": with_fingerprint(BIND, flipped=1),
    "a FINGERPRINT of three bytes": with_attribute(BIND, FINGERPRINT, b"abc"),
    "a FINGERPRINT before something else": with_attribute(with_fingerprint(BIND), 0x8022, b"four"),
    "two FINGERPRINTs": with_fingerprint(with_fingerprint(BIND)),
    "a Binding success": message(BINDING | SUCCESS),
    "a Binding error": message(BINDING | ERROR),
    "a Binding indication": message(BINDING | INDICATION),
    "an Allocate success": message(ALLOCATE | SUCCESS, [UDP]),
    "an Allocate error": message(ALLOCATE | ERROR, [UDP]),
    "an Allocate indication": message(ALLOCATE | INDICATION, [UDP]),
    "a Data indication": message(DATA_METHOD | INDICATION, [(DATA, b"hello")]),
    "a Send request": message(SEND, [(DATA, b"hello")]),
    "a Send indication from nowhere": message(SEND | INDICATION, [(PEER, bytes(8)), (DATA, b"hello")]),
    "a method of nobody": message(0xEEF),
    "a Connect of RFC 6062, which is off": message(CONNECT),
    "ChannelData of no channel": b"\x40\0\0\4abcd",
    "ChannelData longer than the datagram": b"\x40\0\0\5abcd",
    "ChannelData of 65,535 bytes that are not there": b"\x40\0\xff\xffabcd",
    "three bytes of ChannelData": b"\x40\0\0",
    "ChannelData of a number too high": b"\x7f\xff\0\4abcd",
    "a number that is no channel's": b"\x80\0\0\4abcd",
    "RTP": b"\x80\x60" + bytes(30),
    "a DTLS ClientHello": b"\x16\xfe\xfd" + bytes(50),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n  ",
    "all ones": b"\xff" * 100,
    "zeros": bytes(100),
    "noise": os.urandom(1400),
}  # fmt: skip


async def told(client: TurnClient) -> None:
    """Let the client learn realm and nonce."""
    assert await client.refresh(600) == 437


async def answers_first(client: TurnClient, question: bytes) -> None:
    """Assert that the next thing to come is the answer to this question."""
    client.send(question)
    answer = await client.receive()
    assert answer[8:20] == question[8:20]


@pytest.mark.parametrize("packet", SILENT.values(), ids=SILENT)
async def test_what_is_no_request_is_met_with_silence(shared: Server, come: Come, packet: bytes) -> None:
    stranger, ann = await come(shared), await come(shared)
    assert (await ann.allocate())[0] == 0
    for client in (stranger, ann):
        client.send(packet)
        await answers_first(client, message(BINDING))
    assert await ann.refresh() == 0


STILL_IN_STEP = [
    name
    for name, packet in SILENT.items()
    if len(packet) >= 4
    and packet[0] < 0x80
    and (
        len(packet) == 20 + int.from_bytes(packet[2:4], "big")
        if packet[0] < 0x40
        else name.startswith("ChannelData of")
    )
    and packet[4:8] == BIND[4:8]
]


@pytest.mark.parametrize("kind", ["tcp", "tls"])
@pytest.mark.parametrize("name", STILL_IN_STEP)
async def test_over_a_stream_too_as_long_as_its_end_can_be_told(
    shared: Server, come: Come, kind: str, name: str
) -> None:
    ann = await come(shared, kind)
    assert (await ann.allocate())[0] == 0
    ann.send(SILENT[name])
    await answers_first(ann, message(BINDING))
    assert await ann.refresh() == 0


# --- requests of somebody who knows the password ------------------------------------------------------------------

Make = Callable[[TurnClient], bytes]


def request(method: int, *attributes: tuple[int, bytes], without: int | None = None, **other: bytes) -> Make:
    """Sealed with the right key."""
    return lambda client: sealed(
        message(method, [*attributes, *credentials(client, without=without, **other)]), key_of(client)
    )


def unsealed(client: TurnClient) -> bytes:
    return message(ALLOCATE, [UDP, *credentials(client)])


def changed(make: Make, change: Callable[[bytes], bytes]) -> Make:
    return lambda client: change(make(client))


def twice(first: bytes, second: bytes) -> Make:
    """Two MESSAGE-INTEGRITYs: a right one where b"" stands."""

    def make(client: TurnClient) -> bytes:
        packet = unsealed(client)
        for seal in (first, second):
            packet = with_attribute(packet, INTEGRITY, seal) if seal else sealed(packet, key_of(client))
        return packet

    return make


def peer(address: str = "127.0.0.1", port: int = 50_000) -> tuple[int, bytes]:
    return (PEER, xored((address, port), bytes(12)))


def channel(number: int) -> tuple[int, bytes]:
    return (CHANNEL, struct.pack("!HH", number, 0))


WITHOUT_ALLOCATION: dict[str, tuple[int, Make]] = {
    "no transport": (400, request(ALLOCATE)),
    "a transport of one byte": (400, request(ALLOCATE, (TRANSPORT, b"\x11"))),
    "a transport of nobody": (442, request(ALLOCATE, (TRANSPORT, bytes([6, 0, 0, 0])))),
    "a lifetime of three bytes": (400, request(ALLOCATE, UDP, (LIFETIME, b"abc"))),
    "a family of nobody": (440, request(ALLOCATE, UDP, (FAMILY, bytes([9, 0, 0, 0])))),
    "a family of five bytes": (400, request(ALLOCATE, UDP, (FAMILY, bytes([1, 0, 0, 0, 0])))),
    "EVEN-PORT without its byte": (400, request(ALLOCATE, UDP, (EVEN_PORT, b""))),
    "a token of seven bytes": (400, request(ALLOCATE, UDP, (TOKEN, bytes(7)))),
    "a token of nobody": (508, request(ALLOCATE, UDP, (TOKEN, bytes(8)))),
    "a token and a parity": (400, request(ALLOCATE, UDP, (TOKEN, bytes(8)), (EVEN_PORT, b"\x80"))),
    "an attribute that must be understood": (420, request(ALLOCATE, UDP, (0x7FFE, b"what?"))),
    "mobility, which is off": (405, request(ALLOCATE, UDP, (TICKET, b""))),
    "a Refresh without an allocation": (437, request(REFRESH)),
    "a permission without an allocation": (437, request(CREATE_PERMISSION, peer())),
    "a channel without an allocation": (437, request(CHANNEL_BIND, channel(0x4000), peer())),
    "no user name": (400, request(ALLOCATE, UDP, without=USERNAME)),
    "no realm": (400, request(ALLOCATE, UDP, without=REALM)),
    "no nonce": (400, request(ALLOCATE, UDP, without=NONCE)),
    "an empty user name": (401, request(ALLOCATE, UDP, username=b"")),
    "a user name of 763 bytes": (401, request(ALLOCATE, UDP, username=b"a" * 763)),
    "a user name that is no UTF-8": (400, request(ALLOCATE, UDP, username=b"\xff\xfe\xc0\x80")),
    "a user name cut in the middle of a letter": (400, request(ALLOCATE, UDP, username="é".encode()[:1])),
    "another realm": (401, request(ALLOCATE, UDP, realm=b"elsewhere")),
    "a realm that is no UTF-8": (400, request(ALLOCATE, UDP, realm=b"\xff")),
    "no seal": (401, lambda client: unsealed(client)),
    "a seal of 19 bytes": (401, lambda client: with_attribute(unsealed(client), INTEGRITY, bytes(19))),
    "a seal of zeros": (401, lambda client: with_attribute(unsealed(client), INTEGRITY, bytes(20))),
    "a seal of another key": (401, lambda client: sealed(unsealed(client), b"another key")),
    "a wrong seal before a right one": (401, twice(bytes(20), b"")),
    "a changed letter": (401, changed(request(ALLOCATE, UDP), lambda p: p[:24] + b"\x12" + p[25:])),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "make"), WITHOUT_ALLOCATION.values(), ids=WITHOUT_ALLOCATION)
async def test_a_request_that_makes_no_sense_gets_the_right_error(
    shared: Server, come: Come, kind: str, expected: int, make: Make
) -> None:
    ann = await come(shared, kind)
    await told(ann)
    ann.send(make(ann))
    answer = await ann.receive()
    assert status_of(answer) == expected
    assert (INTEGRITY in attributes_of(answer)) == (expected not in (400, 401) or b"\x08\0\x14" in answer)
    if expected == 420:
        assert attributes_of(answer)[UNKNOWN_ATTRIBUTES] == b"\x7f\xfe"
    assert (await ann.allocate())[0] == 0


WITH_ALLOCATION: dict[str, tuple[int, Make]] = {
    "another Allocate": (437, request(ALLOCATE, UDP)),
    "a permission for nobody": (400, request(CREATE_PERMISSION)),
    "a peer of four bytes": (400, request(CREATE_PERMISSION, (PEER, bytes(4)))),
    "a peer of 1,200 bytes": (400, request(CREATE_PERMISSION, (PEER, bytes(1200)))),
    "a peer of a family of nobody": (400, request(CREATE_PERMISSION, (PEER, b"\0\3" + bytes(6)))),
    "one peer of two that is none": (400, request(CREATE_PERMISSION, peer(), (PEER, b"\0\3" + bytes(6)))),
    "an IPv6 peer of an IPv4 relay": (443, request(CREATE_PERMISSION, (PEER, b"\0\2" + bytes(18)))),
    "a channel below 0x4000": (400, request(CHANNEL_BIND, channel(0x3FFF), peer())),
    "a channel above 0x7FFF": (400, request(CHANNEL_BIND, channel(0x8000), peer())),
    "channel 0xFFFF": (400, request(CHANNEL_BIND, channel(0xFFFF), peer())),
    "a channel of two bytes": (400, request(CHANNEL_BIND, (CHANNEL, b"\x40\0"), peer())),
    "a channel without a peer": (400, request(CHANNEL_BIND, channel(0x4000))),
    "a channel for two peers": (400, request(CHANNEL_BIND, channel(0x4000), peer(), peer(port=50_001))),
    "a channel for port 0": (403, request(CHANNEL_BIND, channel(0x4000), peer(port=0))),
    "a channel for a port below 1024": (403, request(CHANNEL_BIND, channel(0x4000), peer(port=53))),
    "a Refresh of a family that is not there": (443, request(REFRESH, (FAMILY, bytes([2, 0, 0, 0])))),
    "a Refresh with what must be understood": (420, request(REFRESH, (0x7FFE, b"what?"))),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "make"), WITH_ALLOCATION.values(), ids=WITH_ALLOCATION)
async def test_and_it_changes_nothing(
    shared: Server, come: Come, echo: Echo, kind: str, expected: int, make: Make
) -> None:
    ann = await come(shared, kind)
    assert (await ann.allocate())[0] == 0
    ann.send(make(ann))
    assert status_of(await ann.receive()) == expected
    await relays(ann, echo)


BEHIND_THE_SEAL: dict[str, Callable[[bytes, TurnClient], bytes]] = {
    "a lifetime": lambda packet, _: with_attribute(packet, LIFETIME, bytes(4)),
    "a lifetime and a second seal": lambda packet, _: with_attribute(
        with_attribute(packet, LIFETIME, bytes(4)), INTEGRITY, bytes(20)
    ),
    "a lifetime behind both seals": lambda packet, client: with_attribute(
        sealed(packet, key_of(client), "sha256"), LIFETIME, bytes(4)
    ),
    "a lifetime before the FINGERPRINT": lambda packet, _: with_fingerprint(with_attribute(packet, LIFETIME, bytes(4))),
    "what must be understood": lambda packet, _: with_attribute(packet, 0x7FFE, b"what?"),
    "another name": lambda packet, _: with_attribute(packet, USERNAME, b"bob"),
}


@pytest.mark.parametrize("append", BEHIND_THE_SEAL.values(), ids=BEHIND_THE_SEAL)
async def test_what_stands_behind_the_seal_is_not_obeyed(
    shared: Server, come: Come, kind: str, append: Callable[[bytes, TurnClient], bytes]
) -> None:
    ann = await come(shared, kind)
    assert (await ann.allocate())[0] == 0
    pairs: Pairs = [(LIFETIME, struct.pack("!I", 1200)), *credentials(ann)]
    ann.send(append(sealed(message(REFRESH, pairs), key_of(ann)), ann))
    answer = await ann.receive()
    assert status_of(answer) == 0
    assert attributes_of(answer)[LIFETIME] == struct.pack("!I", 1200)
    assert await ann.refresh() == 0


async def test_channel_data_of_a_bound_channel_is_held_to_its_length(shared: Server, come: Come, echo: Echo) -> None:
    ann = await come(shared)
    assert (await ann.allocate())[0] == 0
    await relays(ann, echo)
    ann.send(b"\x40\0\0\x05only")  # one byte too few
    ann.send(b"\x40\0\0")
    ann.send(b"\x40\0\0\x02twofour")  # more than said is padding
    assert await ann.receive() == b"\x40\0\0\x02tw"
    ann.send(b"\x40\0\0\0")
    ann.send(b"\x40\0\0\4last")
    assert await ann.receive() == b"\x40\0\0\4last"
    assert echo.received == [b"ping", b"tw", b"", b"last"]


async def test_ten_thousand_mutilated_requests_harm_nobody(shared: Server, come: Come, echo: Echo) -> None:
    ann, mallory = await come(shared), await come(shared)
    assert (await ann.allocate())[0] == 0
    await told(mallory)
    for number in range(10_000):
        packet = bytearray(request(ALLOCATE, UDP, (LIFETIME, bytes(4)), peer(), channel(0x4000))(mallory))
        packet[number % len(packet)] ^= 1 << number // len(packet) % 8
        mallory.send(bytes(packet) if number % 3 else bytes(packet[: number % len(packet)]))
        if number % 100 == 0:
            await answers_among(mallory, message(BINDING))
    await relays(ann, echo)


async def answers_among(client: TurnClient, question: bytes) -> None:
    """Wait for the answer to this question, whatever else comes."""
    client.send(question)
    async with asyncio.timeout(20):
        while (await client.receive())[8:20] != question[8:20]:
            pass
