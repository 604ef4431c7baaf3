"""The TURN client: against coturn over all three transports, and against servers that misbehave."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from doctor.coturn import ELSEWHERE, HERE, PASSWORD, USER, Coturn, coturn
from doctor.fake_server import error, udp_server
from peerline.doctor.stun.address import Address, write_xored
from peerline.doctor.stun.behaviour import discover
from peerline.doctor.stun.client import StunClient
from peerline.doctor.stun.errors import LinkLostError, MalformedError, RefusedByServerError, SilentError
from peerline.doctor.stun.integrity import long_term_key
from peerline.doctor.stun.link import connect, open_udp
from peerline.doctor.stun.message import Attribute, Kind, Message, Method, write
from peerline.doctor.stun.turn import Allocation
from peerline.doctor.stun.url import TRANSPORTS, Transport
from peerline.lab import Dependence

NONCE, REALM = (Attribute.NONCE, b"once"), (Attribute.REALM, b"tests")
over_each = pytest.mark.parametrize("transport", TRANSPORTS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), "--allow-loopback-peers") as running:
        yield running


async def client_of(server: Coturn, transport: Transport) -> StunClient:
    port = server.tls_port if transport == "tls" else server.port
    return StunClient(await connect(transport, (HERE, port), tls=server.trusting()))


async def allocation_on(server: Coturn, transport: Transport, password: str = PASSWORD) -> Allocation:
    return Allocation(await client_of(server, transport), USER, password)


@over_each
async def test_a_plain_socket_and_a_client_talk_through_the_relay(server: Coturn, transport: Transport) -> None:
    async with await allocation_on(server, transport) as allocation:
        assert allocation.relayed[0] == HERE
        assert allocation.lifetime_s > 60
        peer, heard = await open_udp(local=HERE), []
        peer.on_packet = lambda data, source: heard.append((data, source))
        await allocation.permit(HERE)
        peer.send(b"knock", allocation.relayed)
        assert await allocation.receive(2) == (peer.local, b"knock")
        channel = await allocation.bind_channel(peer.local)
        for length in range(1, 6):  # each padding there is
            allocation.send_on(channel, b"x" * length)
            peer.send(b"y" * length, allocation.relayed)
            assert await allocation.receive(2) == (peer.local, b"y" * length)
        allocation.send(peer.local, b"the last")
        peer.send(b"answer", allocation.relayed)
        assert await allocation.receive(2) == (peer.local, b"answer")
        assert [data for data, _ in heard] == [b"x" * length for length in range(1, 6)] + [b"the last"]
        assert {source for _, source in heard} == {allocation.relayed}
        peer.close()


@over_each
async def test_an_address_that_was_given_back_is_gone(server: Coturn, transport: Transport) -> None:
    client = await client_of(server, transport)
    allocation = Allocation(client, USER, PASSWORD)
    await allocation.allocate()
    with pytest.raises(RefusedByServerError) as refused:
        await allocation.allocate()
    assert refused.value.number == 437, "a client has one address at a time"
    await allocation.release()
    peer = await open_udp(local=HERE)
    peer.send(b"knock", allocation.relayed)
    with pytest.raises(SilentError):
        await allocation.receive(0.2)
    peer.close()
    client.close()


@over_each
async def test_a_wrong_password_is_refused_with_401(server: Coturn, transport: Transport) -> None:
    with pytest.raises(RefusedByServerError) as refused:
        async with await allocation_on(server, transport, "wrong"):
            raise AssertionError("let in")
    assert refused.value.number == 401


async def test_a_certificate_of_nobodys_is_not_accepted(server: Coturn) -> None:
    with pytest.raises(LinkLostError) as lost:
        await connect("tls", (HERE, server.tls_port), tls=ssl.create_default_context())
    assert lost.value.code == "certificate"


async def test_a_peer_that_the_policy_forbids_is_refused_with_403(tmp_path: Path) -> None:
    with coturn(tmp_path) as strict:
        async with await allocation_on(strict, "udp") as allocation:
            with pytest.raises(RefusedByServerError) as refused:
                await allocation.permit(HERE)
    assert refused.value.number == 403


async def test_without_a_nat_the_mapping_is_none_and_everybody_comes_in(server: Coturn) -> None:
    lines: list[str] = []
    found = await discover((HERE, server.port), lines.append)
    assert found.other is not None
    assert found.other[0] == ELSEWHERE
    assert (found.mapping, found.filtering) == (Dependence.ENDPOINT_INDEPENDENT, Dependence.ENDPOINT_INDEPENDENT)
    assert not found.is_translated
    assert any("second address came in" in line for line in lines)


# Servers that misbehave -------------------------------------------------------------------------------


async def allocate_at(address: Address) -> Allocation:
    client = StunClient(await connect("udp", address, tls=ssl.create_default_context()))
    allocation = Allocation(client, USER, PASSWORD)
    try:
        await allocation.allocate()
    finally:
        client.close()
    return allocation


def challenged(request: Message, *answers: bytes) -> Iterable[bytes]:
    """A 401 first, then these."""
    return answers if request.get(Attribute.USERNAME) else [error(request, 401, REALM, NONCE)]


async def test_a_challenge_without_a_nonce_is_malformed() -> None:
    async with udp_server(lambda request, source: [error(request, 401, REALM)]) as address:
        with pytest.raises(MalformedError):
            await allocate_at(address)


async def test_a_server_that_finds_every_nonce_stale_is_given_up() -> None:
    asked: list[bytes] = []

    def answers(request: Message, source: Address) -> Iterable[bytes]:
        asked.append(request.transaction)
        return [error(request, 438 if request.get(Attribute.USERNAME) else 401, REALM, NONCE)]

    async with udp_server(answers) as address:
        with pytest.raises(RefusedByServerError) as refused:
            await allocate_at(address)
    assert refused.value.number == 438
    assert len(asked) == 3


async def test_a_success_that_nobody_signed_is_not_believed() -> None:
    def answers(request: Message, source: Address) -> Iterable[bytes]:
        return challenged(request, write(Method.ALLOCATE, Kind.SUCCESS, request.transaction))

    async with udp_server(answers) as address:
        with pytest.raises(SilentError, match="MESSAGE-INTEGRITY"):
            await allocate_at(address)


async def test_a_success_without_a_relayed_address_is_malformed() -> None:
    key = long_term_key(USER, "tests", PASSWORD)

    def answers(request: Message, source: Address) -> Iterable[bytes]:
        return challenged(request, write(Method.ALLOCATE, Kind.SUCCESS, request.transaction, [], key))

    async with udp_server(answers) as address:
        with pytest.raises(MalformedError, match="XOR-RELAYED-ADDRESS"):
            await allocate_at(address)


async def test_data_from_nowhere_and_on_no_channel_is_dropped() -> None:
    key = long_term_key(USER, "tests", PASSWORD)

    def answers(request: Message, source: Address) -> Iterable[bytes]:
        relayed = (Attribute.XOR_RELAYED_ADDRESS, write_xored((HERE, 5), request.transaction))
        lifetime = (Attribute.LIFETIME, b"\0\0\2\x58")
        return challenged(
            request,
            write(Method.DATA, Kind.INDICATION, b"n" * 12, [(Attribute.DATA, b"whose?")]),
            write(
                Method.DATA, Kind.INDICATION, b"n" * 12, [(Attribute.XOR_PEER_ADDRESS, b"??"), (Attribute.DATA, b"?")]
            ),
            b"\x40\x01\x00\x02hi",
            b"\x40",
            write(Method.ALLOCATE, Kind.SUCCESS, request.transaction, [relayed, lifetime], key),
        )

    async with udp_server(answers) as address:
        allocation = await allocate_at(address)
    assert allocation.relayed == (HERE, 5)
    assert allocation.received.empty()
