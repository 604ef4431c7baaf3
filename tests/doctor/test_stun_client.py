"""The client against servers that answer wrongly, late, in pieces or not at all."""

from __future__ import annotations

import ssl
from collections.abc import Iterable

import pytest

from doctor.fake_server import error, success, tcp_server, udp_server
from peerline.doctor.stun.address import Address
from peerline.doctor.stun.client import StunClient
from peerline.doctor.stun.errors import LinkLostError, MalformedError, RefusedByServerError, SilentError
from peerline.doctor.stun.link import connect
from peerline.doctor.stun.message import Attribute, Kind, Message, Method, write
from peerline.doctor.stun.url import Transport

NO_TLS = ssl.create_default_context()
KEY = b"k" * 16
SHORT_S = 0.7


async def ask(transport: Transport, server: Address, *, key: bytes | None = None, within_s: float = SHORT_S) -> Address:
    client = StunClient(await connect(transport, server, tls=NO_TLS))
    try:
        answer = await client.ask(Method.BINDING, key=key, within_s=within_s)
        assert answer.rtt_s >= 0
        return client.link.local
    finally:
        client.close()


def changed(data: bytes, position: int) -> bytes:
    return data[:position] + bytes((data[position] ^ 1,)) + data[position + 1 :]


async def test_the_address_that_the_server_sees_is_ours() -> None:
    async with udp_server(lambda request, source: [success(request, source)]) as server:
        client = StunClient(await connect("udp", server, tls=NO_TLS))
        mapped, answer = await client.mapped_address()
        assert mapped == client.link.local
        assert answer.source == server
        client.close()


async def test_a_question_that_was_lost_is_asked_again() -> None:
    asked = []

    def answers(request: Message, source: Address) -> Iterable[bytes]:
        asked.append(request.transaction)
        return [success(request, source)] if len(asked) > 1 else []

    async with udp_server(answers) as server:
        await ask("udp", server, within_s=5)
    assert len(asked) >= 2
    assert len(set(asked)) == 1, "it is the same question"


async def test_silence_is_told_as_silence() -> None:
    async with udp_server(lambda request, source: []) as server:
        with pytest.raises(SilentError) as silence:
            await ask("udp", server)
    assert silence.value.code == "stun_silent"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda r, s: success(r, s)[:-4], "says that"),
        (lambda r, s: b"\0", "no STUN message"),
        (lambda r, s: b"HTTP/1.1 400 Bad Request\r\n", "magic cookie"),
        (lambda r, s: b"\x40\x00\x00\x04ping", "no STUN message"),
        (lambda r, s: changed(success(r, s), 4), "magic cookie"),
        (lambda r, s: changed(success(r, s), 12), "wrong transaction id"),
        (lambda r, s: write(Method.REFRESH, Kind.SUCCESS, r.transaction), "not asked"),
        (lambda r, s: write(Method.BINDING, Kind.REQUEST, r.transaction), "not asked"),
    ],
)
async def test_a_wrong_answer_counts_as_none_and_is_named(wrong: object, why: str) -> None:
    async with udp_server(lambda request, source: [wrong(request, source)]) as server:  # type: ignore[operator]
        with pytest.raises(SilentError) as silence:
            await ask("udp", server)
    assert silence.value.code == "stun_useless"
    assert why in silence.value.message


async def test_the_right_answer_counts_although_a_wrong_one_came_first() -> None:
    def answers(request: Message, source: Address) -> Iterable[bytes]:
        return [b"\x00", changed(success(request, source), 13), success(request, source)]

    async with udp_server(answers) as server:
        await ask("udp", server)


@pytest.mark.parametrize("signed_with", [None, b"another key"])
async def test_an_answer_with_the_wrong_integrity_is_not_believed(signed_with: bytes | None) -> None:
    async with udp_server(lambda request, source: [success(request, source, signed_with)]) as server:
        with pytest.raises(SilentError, match="MESSAGE-INTEGRITY"):
            await ask("udp", server, key=KEY)


async def test_an_answer_with_the_right_integrity_is() -> None:
    async with udp_server(lambda request, source: [success(request, source, KEY)]) as server:
        await ask("udp", server, key=KEY)


async def test_a_refusal_has_its_number_and_is_told_although_nobody_signed_it() -> None:
    async with udp_server(lambda request, source: [error(request, 486)]) as server:
        with pytest.raises(RefusedByServerError) as refused:
            await ask("udp", server, key=KEY)
    assert refused.value.number == 486
    assert refused.value.code == "stun_486"


async def test_a_refusal_that_somebody_else_signed_is_not_believed() -> None:
    async with udp_server(lambda request, source: [error(request, 486, key=b"another key")]) as server:
        with pytest.raises(SilentError, match="MESSAGE-INTEGRITY"):
            await ask("udp", server, key=KEY)


async def test_an_error_without_a_number_is_malformed() -> None:
    async with udp_server(lambda r, s: [write(Method.BINDING, Kind.ERROR, r.transaction)]) as server:
        with pytest.raises(MalformedError):
            await ask("udp", server)


async def test_a_success_without_an_address_is_malformed() -> None:
    async with udp_server(lambda r, s: [write(Method.BINDING, Kind.SUCCESS, r.transaction)]) as server:
        client = StunClient(await connect("udp", server, tls=NO_TLS))
        with pytest.raises(MalformedError, match="XOR-MAPPED-ADDRESS"):
            await client.mapped_address()
        client.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_port_where_nobody_listens_is_told_at_once(transport: Transport) -> None:
    async with udp_server(lambda r, s: []) as server:
        pass
    with pytest.raises(LinkLostError) as lost:
        await ask(transport, server)
    assert lost.value.code == "refused"


async def test_over_tcp_an_answer_may_come_byte_by_byte_or_together_with_others() -> None:
    def in_pieces(request: Message, source: Address) -> Iterable[bytes]:
        data = write(Method.DATA, Kind.INDICATION, b"x" * 12) + success(request, source)
        return [data[at : at + 1] for at in range(len(data))]

    def together(request: Message, source: Address) -> Iterable[bytes]:
        channel_data = b"\x40\x00\x00\x05hello\0\0\0"
        return [channel_data + success(request, source) + channel_data[:6]]

    for answers in (in_pieces, together):
        async with tcp_server(answers) as server:
            await ask("tcp", server)


async def test_over_tcp_an_answer_that_is_cut_off_is_told_as_that() -> None:
    async with tcp_server(lambda r, s: [success(r, s)[:17]], closes=True) as server:
        with pytest.raises(LinkLostError, match=r"in the middle of a message \(17 bytes"):
            await ask("tcp", server)


async def test_over_tcp_an_answer_that_promises_more_than_comes_ends_in_silence() -> None:
    async with tcp_server(lambda r, s: [changed(success(r, s), 2)]) as server:
        with pytest.raises(SilentError):
            await ask("tcp", server)


async def test_over_tcp_what_is_no_stun_ends_the_connection() -> None:
    async with tcp_server(lambda r, s: [b"\xffnonsense"]) as server:
        with pytest.raises(LinkLostError) as lost:
            await ask("tcp", server)
    assert lost.value.code == "stun_malformed"


async def test_tls_with_a_server_that_speaks_none_fails_in_words() -> None:
    async with tcp_server(lambda r, s: []) as server:
        with pytest.raises(LinkLostError) as lost:
            await ask("tls", server)
    assert lost.value.code in ("tls", "timeout", "refused")


async def test_an_unknown_attribute_changes_nothing() -> None:
    def answers(request: Message, source: Address) -> Iterable[bytes]:
        unknown = (Attribute.REALM, b"\xff\xfe")
        return [write(Method.BINDING, Kind.SUCCESS, request.transaction, [unknown, (0x7FFF, b"?"), (0x8FFF, b"")])]

    async with udp_server(answers) as server:
        await ask("udp", server)
