"""Whose allocation it is, and until when a nonce, a password and a ticket are good (RFC 8489 §9.2, RFC 8016)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest

from client.turn import ALLOCATE, REFRESH, TRANSPORT, TurnClient
from peerline.engine import Engine
from peerline.turnserver import TurnServer, TurnSettings, make_credentials
from turn.conftest import SECRET, Come, Echo, Server, relays
from turn.draft import credentials, key_of, message, sealed, status_of

UDP = (TRANSPORT, bytes([17, 0, 0, 0]))
TICKET = 0x8030
LIFETIME_600 = (0x0D, (600).to_bytes(4, "big"))


async def test_a_nonce_of_another_client_or_of_nobody_is_stale(shared: Server, come: Come, kind: str) -> None:
    ann, other = await come(shared, kind), await come(shared, kind, source=("127.0.0.2", 0))
    assert (await ann.allocate())[0] == 0
    assert (await other.allocate())[0] == 0
    nonces = [other.nonce, b"", os.urandom(24).hex().encode(), b"obMatJos2gAAA" + bytes(19), other.nonce[:-1]]
    flipped = bytearray(ann.nonce)
    flipped[-1] ^= 1
    for nonce in [*nonces, bytes(flipped), ann.nonce + b"x"]:
        ann.send(sealed(message(REFRESH, credentials(ann, nonce=nonce)), key_of(ann)))
        answer = await ann.receive()
        assert status_of(answer) in (438, 400), nonce
    assert await ann.refresh() == 0


async def test_credentials_that_have_expired_are_refused_but_end_no_allocation(shared: Server, come: Come) -> None:
    old = make_credentials(SECRET.encode(), "old", now_s=time.time() - 120, ttl_s=60)
    late = await come(shared, "udp", old.username, old.password)
    assert (await late.allocate())[0] == 401
    brief = make_credentials(SECRET.encode(), "brief", now_s=time.time(), ttl_s=3)
    guest = await come(shared, "udp", brief.username, brief.password)
    assert (await guest.allocate())[0] == 0
    async with asyncio.timeout(20):
        while True:  # until the name has expired
            stranger = await come(shared, "udp", brief.username, brief.password)
            if (await stranger.allocate())[0] == 401:
                break
            assert await stranger.refresh(0) == 0
            await asyncio.sleep(0.1)
    assert await guest.refresh() == 0


@pytest.mark.parametrize("secret", [b"another", SECRET.encode()[:-1], SECRET.encode() + b" ", b""])
async def test_a_password_of_another_secret_is_none(shared: Server, come: Come, secret: bytes) -> None:
    made = make_credentials(secret, "bob", now_s=time.time(), ttl_s=60)
    forged = await come(shared, "udp", made.username, made.password)
    assert (await forged.allocate())[0] == 401


async def test_nobody_touches_the_allocation_of_another_user(shared: Server, come: Come, echo: Echo, kind: str) -> None:
    ann = await come(shared, kind)
    assert (await ann.allocate())[0] == 0
    ann.username, ann.password = "bob", "word"  # known, and at the same place
    assert await ann.refresh(0) == 441
    assert await ann.permit(echo.address) == 441
    assert await ann.bind(0x4000, echo.address) == 441
    assert (await ann.allocate())[0] == 437
    ann.username, ann.password = "ann", "pass"
    await relays(ann, echo)
    assert await ann.refresh(0) == 0


# --- what `peerline turn` has no flag for --------------------------------------------------------------------------


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    with Engine(shards=1) as engine:
        engine.attach(asyncio.get_running_loop())
        yield engine


async def enter(engine: Engine, settings: TurnSettings, *names: str) -> list[TurnClient]:
    """Clients of a server of their own, with names for passwords."""
    server = TurnServer(engine, settings)
    ((_, host, port),) = server.listen([("udp", "127.0.0.1", 0)], [("127.0.0.1", "127.0.0.1")], (20_000, 60_000))
    return [await TurnClient.connect((host, port), name, name) for name in names]


async def test_a_nonce_grows_old(engine: Engine) -> None:
    (ann,) = await enter(engine, TurnSettings(users=[("ann", "ann")], nonce_lifetime_s=0), "ann")
    async with asyncio.timeout(20):
        # It is good for the second in which it was made.
        while (status := (await ann.allocate())[0]) == 438:
            ann.nonce = b""
        while status != 438:
            assert status in (0, 437)
            status = await ann.refresh(600)
    ann.nonce = b""
    while (status := await ann.refresh(0)) == 438:
        ann.nonce = b""
    assert status == 0, "with a new one all is well"
    ann.close()


async def test_a_ticket_is_good_once_and_only_for_its_owner(engine: Engine) -> None:
    settings = TurnSettings(users=[("ann", "ann"), ("bob", "bob")], mobility=True, answers_per_second=None)
    ann, moved, again, bob = await enter(engine, settings, "ann", "ann", "ann", "bob")
    status, found = await ann.ask(ALLOCATE, [UDP, (TICKET, b"")])
    assert status == 0
    ticket = found[TICKET]
    flipped = bytes([*ticket[:-1], ticket[-1] ^ 1])
    for wrong in (flipped, bytes(len(ticket)), os.urandom(len(ticket)), ticket[:-1], ticket + b"\0"):
        assert (await moved.ask(REFRESH, [LIFETIME_600, (TICKET, wrong)]))[0] == 400
    assert (await bob.ask(REFRESH, [LIFETIME_600, (TICKET, ticket)]))[0] == 441
    assert await ann.refresh() == 0, "it is where it was"
    status, found = await moved.ask(REFRESH, [LIFETIME_600, (TICKET, ticket)])
    assert status == 0
    assert found[TICKET] != ticket
    assert (await again.ask(REFRESH, [LIFETIME_600, (TICKET, ticket)]))[0] == 400
    assert await ann.refresh(600) == 437, "it is not there any more"
    assert await moved.refresh(0) == 0
    for client in (ann, moved, again, bob):
        client.close()


async def test_a_password_is_not_guessed_by_asking_often(shared: Server, come: Come) -> None:
    mallory = await come(shared, "udp", "ann", "wrong")
    assert (await mallory.allocate())[0] == 401
    for guess in ("", "Pass", "pass ", "pas", "password", "pass\0"):
        mallory.password = guess
        assert (await mallory.allocate())[0] == 401
