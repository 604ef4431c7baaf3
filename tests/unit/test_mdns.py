"""Names of browsers' candidates: the messages, who waits for what, and a responder on the real link."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import socket
import struct
import weakref
from collections.abc import AsyncIterator, Callable

import pytest
from connections import negotiate
from hypothesis import given
from hypothesis import strategies as st

from peerline import RTCPeerConnection, mdns
from peerline.mdns.message import AAAA, A, AddressRecord, MessageError, read_answer, write_question
from peerline.mdns.name import canonical, is_mdns_name, labels_of
from peerline.mdns.resolver import Resolver
from peerline.mdns.sockets import GROUP_V4, GROUP_V6, PORT, OnDatagram

NAME = "0d1ce3e2-7c5f-4b0e-9ac1-9d2b5e8a7f10.local"


def answer(
    *records: tuple[str, str, int], id: int = 0, flags: int = 0x8400, klass: int = 0x8001, cut: int | None = None
) -> bytes:
    """Of (name, address, ttl_s)."""
    packed = struct.pack("!HHHHHH", id, flags, 0, len(records), 0, 0)
    for name, address, ttl_s in records:
        labels = b"".join(bytes([len(label)]) + label for label in labels_of(name)) + b"\0"
        value = ipaddress.ip_address(address).packed
        packed += labels + struct.pack("!HHIH", A if len(value) == 4 else AAAA, klass, ttl_s, len(value)) + value
    return packed[:cut]


# Names and messages --------------------------------------------------------------------------------------


def test_names_end_in_local_and_have_parts_of_a_length() -> None:
    for good in [NAME, "printer.LOCAL", "a.b.local", "x" * 63 + ".local", "printer.local."]:
        assert is_mdns_name(good), good
    for bad in ["", "local", ".local", "a..local", "example.org", "1.2.3.4", "x" * 64 + ".local", "x." * 130 + "local"]:
        assert not is_mdns_name(bad), bad


def test_a_question_is_what_the_rfc_says() -> None:
    message = write_question(0x1234, labels_of("a1.local"), A)
    assert message == b"\x12\x34\0\0\0\1\0\0\0\0\0\0\x02a1\x05local\0\0\1\0\1"


def test_an_answer_in_the_manner_of_chromium_is_read() -> None:
    """An A record, and an NSEC record whose name and value are pointers."""
    message = answer((NAME.upper(), "192.168.1.7", 120))
    message = message[:10] + b"\0\1" + message[12:] + b"\xc0\x0c\0\x2f\x80\x01\0\0\0\x78\0\5\xc0\x46\0\1\x40"
    read = read_answer(message)
    assert read.records == (AddressRecord(canonical(labels_of(NAME)), "192.168.1.7", 120),)


def test_addresses_are_found_in_every_section_and_behind_the_question() -> None:
    question = write_question(7, labels_of("a.local"), AAAA)
    record = b"\xc0\x0c" + struct.pack("!HHIH", AAAA, 1, 10, 16) + ipaddress.ip_address("fd00::7").packed
    message = struct.pack("!HHHHHH", 7, 0x8400, 1, 0, 0, 1) + question[12:] + record
    assert read_answer(message).id == 7
    assert read_answer(message).records == (AddressRecord(b"a.local", "fd00::7", 10),)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0" * 11,
        write_question(1, labels_of(NAME), A),
        answer((NAME, "1.2.3.4", 1), flags=0x8403),
        answer((NAME, "1.2.3.4", 1), flags=0xA800),
        answer((NAME, "1.2.3.4", 1), cut=-1),
        answer((NAME, "1.2.3.4", 1), cut=20),
        struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\xc0\x0c",
        struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\xc0\x0e\xc0\x0c",
        struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\x01a\xc0\x0c",
        struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\x41a",
        struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + (b"\x3f" + b"x" * 63) * 5 + b"\0" * 11,
        struct.pack("!HHHHHH", 0, 0x8400, 0, 0, 0, 0xFFFF) + b"\0" * 5000,
        answer((NAME, "1.2.3.4", 1)) + b"\0" * 9000,
        struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\0" + struct.pack("!HHIH", A, 1, 1, 3) + b"abc",
    ],
)
def test_what_makes_no_sense_is_refused(message: bytes) -> None:
    with pytest.raises(MessageError):
        read_answer(message)


def test_records_of_another_kind_or_class_are_passed_over() -> None:
    assert read_answer(answer((NAME, "1.2.3.4", 1), klass=3)).records == ()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_their_own_error(noise: bytes) -> None:
    for message in (noise, b"\0\0\x84\0" + noise, struct.pack("!HHHHHH", 0, 0x8400, 0, 2, 0, 0) + noise):
        with contextlib.suppress(MessageError):
            read_answer(message)


@given(st.data())
def test_damage_to_an_answer_raises_nothing_but_its_own_error(data: st.DataObject) -> None:
    message = bytearray(answer((NAME, "1.2.3.4", 1), ("b.local", "fd00::1", 2)))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MessageError):
        read_answer(bytes(message))


@given(
    st.lists(
        st.tuples(
            st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=63).map(
                lambda label: f"{label}.local"
            ),
            st.ip_addresses().map(str),
            st.integers(0, 2**32 - 1),
        ),
        max_size=20,
    )
)
def test_what_is_written_is_read(records: list[tuple[str, str, int]]) -> None:
    expected = [(canonical(labels_of(name)), address, ttl_s) for name, address, ttl_s in records]
    read = [(r.name, r.address, r.ttl_s) for r in read_answer(answer(*records)).records]
    assert read == expected


# Who waits for what --------------------------------------------------------------------------------------


class FakeLink:
    """A link on which the test answers."""

    def __init__(self) -> None:
        self.opened = 0
        self.is_open = False
        self.asked: list[bytes] = []
        self.was_asked = asyncio.Event()
        self.say: Callable[[bytes, bool], None] = lambda message, is_own: None

    def open(self, loop: asyncio.AbstractEventLoop, on_datagram: OnDatagram) -> FakeLink:
        self.opened += 1
        self.is_open = True
        self.say = on_datagram
        return self

    def ask(self, message: bytes) -> None:
        assert self.is_open
        self.asked.append(message)
        self.was_asked.set()

    def close(self) -> None:
        self.is_open = False

    async def question(self) -> int:
        """Wait for one; its number."""
        await self.was_asked.wait()
        return int.from_bytes(self.asked[0][:2], "big")


async def test_a_name_is_asked_for_in_both_families_with_one_question_a_message() -> None:
    link = FakeLink()
    task = asyncio.create_task(Resolver(link.open).resolve(NAME, 20))
    id = await link.question()
    assert link.asked == [write_question(id, labels_of(NAME), kind) for kind in (A, AAAA)]
    link.say(answer((NAME.upper(), "192.168.1.7", 120)), False)
    assert await task == ["192.168.1.7"]
    assert not link.is_open


async def test_several_who_wait_for_one_name_are_one_question() -> None:
    link = FakeLink()
    resolver = Resolver(link.open)
    first, second = (asyncio.create_task(resolver.resolve(name, 20)) for name in (NAME, NAME.upper()))
    hasty = asyncio.create_task(resolver.resolve(NAME, 0))
    await link.question()
    assert await hasty == []
    link.say(answer((NAME, "192.168.1.7", 120), (NAME, "fd00::7", 120)), False)
    assert [await first, await second] == [["192.168.1.7", "fd00::7"]] * 2
    assert (link.opened, len(link.asked)) == (1, 2)


async def test_what_was_heard_is_remembered_for_a_while() -> None:
    link = FakeLink()
    resolver = Resolver(link.open)
    task = asyncio.create_task(resolver.resolve(NAME, 20))
    await link.question()
    link.say(answer((NAME, "192.168.1.7", 120)), False)
    await task
    assert await resolver.resolve(NAME, 0) == ["192.168.1.7"]
    assert link.opened == 1
    in_a_minute = asyncio.get_running_loop().time() + 60
    assert resolver._memory.addresses(canonical(labels_of(NAME)), in_a_minute) == []


async def test_silence_and_nonsense_are_an_empty_list() -> None:
    link = FakeLink()
    task = asyncio.create_task(Resolver(link.open).resolve(NAME, 0.05))
    id = await link.question()
    for message, is_own in [
        (b"", False),
        (b"\xff" * 100, True),
        (link.asked[0], False),
        (answer(("other.local", "192.168.1.7", 120)), False),
        (answer((NAME, "192.168.1.7", 120), id=id ^ 1), True),
        (answer((NAME, "192.168.1.7", 0)), False),
        (answer((NAME, "0.0.0.0", 120), (NAME, "224.0.0.1", 120), (NAME, "fe80::1", 120), (NAME, "::", 1)), False),
    ]:
        link.say(message, is_own)
    assert await task == []
    assert not link.is_open


async def test_an_answer_to_us_alone_has_the_number_of_our_question() -> None:
    link = FakeLink()
    task = asyncio.create_task(Resolver(link.open).resolve(NAME, 20))
    id = await link.question()
    link.say(answer((NAME, "192.168.1.7", 10), id=id), True)
    assert await task == ["192.168.1.7"]


async def test_a_peer_that_names_a_thousand_candidates_does_not_flood_the_link() -> None:
    link = FakeLink()
    resolver = Resolver(link.open)
    tasks = [asyncio.create_task(resolver.resolve(f"{n}.local", 0.05)) for n in range(1000)]
    assert await asyncio.gather(*tasks) == [[]] * 1000
    assert len(link.asked) == 2 * 64
    assert not link.is_open


async def test_an_answer_with_too_many_addresses_is_cut() -> None:
    link = FakeLink()
    task = asyncio.create_task(Resolver(link.open).resolve(NAME, 20))
    await link.question()
    link.say(answer(*((NAME, f"10.0.0.{n}", 120) for n in range(1, 100))), False)
    assert await task == [f"10.0.0.{n}" for n in range(1, 9)]


async def test_who_does_not_wait_any_more_leaves_nothing_open() -> None:
    link = FakeLink()
    task = asyncio.create_task(Resolver(link.open).resolve(NAME, 20))
    await link.question()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not link.is_open


async def test_a_name_of_the_internet_is_not_asked_for() -> None:
    with pytest.raises(ValueError, match=r"ends in \.local"):
        await mdns.resolve("example.org")


def test_loops_one_after_the_other_leave_nothing_behind() -> None:
    kept = []
    for _ in range(2):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(mdns.resolve(NAME, 0)) == []
        loop.close()
        kept.append(weakref.ref(loop))
        del loop
    gc.collect()
    assert [ref() for ref in kept] == [None, None]


# The real link -------------------------------------------------------------------------------------------


class Responder:
    """Answers for one name, as RFC 6762 asks (`is_legacy`), or as browsers do: to everybody."""

    def __init__(self, family: socket.AddressFamily, interface: int, address: str, *, is_legacy: bool) -> None:
        self.questions: list[bytes] = []
        self._address, self._is_legacy = address, is_legacy
        self._socket = one = socket.socket(family, socket.SOCK_DGRAM)
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET:
            self._group: tuple[object, ...] = (GROUP_V4, PORT)
            one.bind((GROUP_V4, PORT))
            choice = struct.pack("=4s4si", socket.inet_aton(GROUP_V4), bytes(4), interface)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, choice)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, choice)
        else:
            self._group = (GROUP_V6, PORT, 0, interface)
            one.bind((GROUP_V6, PORT, 0, interface))
            group = socket.inet_pton(family, GROUP_V6) + struct.pack("@I", interface)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface)
        # What is said here is heard here.
        self._voice = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET:
            self._voice.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, choice)
        else:
            self._voice.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface)
        asyncio.get_running_loop().add_reader(one, self._read)

    def works(self) -> bool:
        """Whether multicast comes back on this machine and this interface."""
        with contextlib.suppress(OSError):
            self._voice.sendto(b"is anybody here", self._group)
            self._socket.setblocking(True)
            self._socket.settimeout(2)
            return self._socket.recv(100) == b"is anybody here"
        return False

    def _read(self) -> None:
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            message, source = self._socket.recvfrom(9000)
            self.questions.append(message)
            question = write_question(int.from_bytes(message[:2], "big"), labels_of(NAME), A)
            if message != question:
                return
            if self._is_legacy:
                id = int.from_bytes(message[:2], "big")
                self._voice.sendto(answer((NAME, self._address, 10), id=id), source)
            else:
                self._voice.sendto(answer((NAME, self._address, 120)), self._group)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._voice.close()


@pytest.fixture(params=["v4", "v6"])
async def interface(request: pytest.FixtureRequest) -> AsyncIterator[tuple[socket.AddressFamily, int]]:
    """A family, and an interface on which its multicast works."""
    family = socket.AF_INET if request.param == "v4" else socket.AF_INET6
    for index, _ in socket.if_nameindex():
        with contextlib.suppress(OSError):
            probe = Responder(family, index, "192.0.2.1", is_legacy=True)
            try:
                does_work = probe.works()
            finally:
                probe.close()
            if does_work:
                yield family, index
                return
    pytest.skip(f"no interface of this machine carries multicast of IP{request.param}")


@pytest.mark.parametrize("is_legacy", [True, False], ids=["answers to us", "answers to all"])
async def test_a_name_is_found_on_the_link(interface: tuple[socket.AddressFamily, int], is_legacy: bool) -> None:
    responder = Responder(*interface, "192.168.7.7", is_legacy=is_legacy)
    try:
        assert await Resolver().resolve(NAME, 20) == ["192.168.7.7"]
    finally:
        responder.close()
    assert len(responder.questions) >= 1


async def test_a_candidate_with_an_impossible_name_is_passed_over_in_silence() -> None:
    seen: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        caller.createDataChannel("chat")
        await negotiate(caller, callee)
        for name in ["x" * 64 + ".local", "a..local", ".local", "x." * 130 + "local"]:
            await callee.addIceCandidate(candidate=f"candidate:1 1 udp 2113937151 {name} 5000 typ host", sdpMid="0")
        await asyncio.sleep(0.05)
        gc.collect()
    assert seen == []
