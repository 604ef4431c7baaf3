"""Two agents of aioice that may use the relay only: they find each other through us over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import ssl

import aioice
import pytest
from aioice import turn as aioice_turn
from aioice.ice import TransportPolicy

from turn.conftest import Server


@pytest.fixture
def trusted(shared: Server, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """An agent of aioice verifies against what the system trusts; for this test that is our certificate."""
    create = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: create(cafile=str(shared.certificate)))
    return shared.trust


def agent(server: Server, kind: str, name: str, password: str, *, controls: bool) -> aioice.Connection:
    return aioice.Connection(
        ice_controlling=controls,
        turn_server=server.address(kind),
        turn_username=name,
        turn_password=password,
        turn_transport="udp" if kind == "udp" else "tcp",
        turn_ssl=kind == "tls",
        use_ipv6=False,
        transport_policy=TransportPolicy.RELAY,
    )


async def test_two_agents_talk_through_relays_alone(shared: Server, trusted: ssl.SSLContext, kind: str) -> None:
    ann = agent(shared, kind, "ann", "pass", controls=True)
    bob = agent(shared, kind, "bob", "word", controls=False)
    try:
        await asyncio.gather(ann.gather_candidates(), bob.gather_candidates())
        for one, other in ((ann, bob), (bob, ann)):
            assert {candidate.type for candidate in other.local_candidates} == {"relay"}
            for candidate in other.local_candidates:
                await one.add_remote_candidate(candidate)
            await one.add_remote_candidate(None)
            one.remote_username, one.remote_password = other.local_username, other.local_password
        async with asyncio.timeout(30):
            await asyncio.gather(ann.connect(), bob.connect())
            for size in (1, 3, 100, 1200):
                await ann.send(b"a" * size)
                assert await bob.recv() == b"a" * size
                await bob.send(b"b" * size)
                assert await ann.recv() == b"b" * size
    finally:
        await asyncio.gather(ann.close(), bob.close())


async def test_a_transport_of_aioice_relays_to_a_peer(shared: Server, kind: str) -> None:
    class Heard(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.packets: asyncio.Queue[bytes] = asyncio.Queue()

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.packets.put_nowait(data)

    ends = [
        await aioice_turn.create_turn_endpoint(
            Heard,
            server_addr=shared.address(kind),
            username=name,
            password=word,
            transport="udp" if kind == "udp" else "tcp",
            ssl=shared.trust if kind == "tls" else None,
        )
        for name, word in (("ann", "pass"), ("bob", "word"))
    ]
    places = [transport.get_extra_info("sockname") for transport, _ in ends]
    async with asyncio.timeout(30):
        # Each binds a channel to the other with its first packet; what comes before is not heard.
        for number in range(50):
            for (transport, _), place in zip(ends, reversed(places), strict=True):
                transport.sendto(bytes([number]), place)
            await asyncio.sleep(0.01)
        for transport, heard in ends:
            while (await heard.packets.get())[0] < 49:
                pass
            transport.close()
