"""What is particular to the WebSocket door: sub-protocol, origin, close codes (protocol, section 2.1)."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from client import ClosedError
from client.conversation import settle
from client.transport import SUBPROTOCOL, Transport
from contract.conftest import Join
from contract.doors import DOORS, Door, Way

WEBSOCKETS = [Way(door, "memory") for door in DOORS if door.transport == "websocket"]

pytestmark = pytest.mark.parametrize("way", WEBSOCKETS, ids=str, indirect=True)


def dial(door: Door, **options: object) -> connect:
    url = "ws" + door.url.removeprefix("http") + "/signal"
    return connect(url, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None, **options)  # type: ignore[arg-type]


@pytest.fixture
async def line(door: Door) -> AsyncIterator[ClientConnection]:
    async with dial(door) as socket:
        yield socket


def hello(name: str, **changes: object) -> str:
    key, device = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    return json.dumps({"t": "hello", "d": {"v": [1], "name": name, "own": key, "dev": device} | changes})


async def closed_with(line: ClientConnection) -> int:
    async with asyncio.timeout(10):
        await line.wait_closed()
    assert line.close_code is not None
    return line.close_code


async def test_the_sub_protocol_is_agreed_on(line: ClientConnection) -> None:
    assert line.subprotocol == "peerline.v1.json"


async def test_a_page_from_elsewhere_is_not_let_in(door: Door) -> None:
    for origin in ("https://evil.example", "null", door.url.replace("http", "https").replace("127", "128")):
        with pytest.raises(InvalidStatus) as refused:
            await dial(door, origin=Origin(origin))
        assert refused.value.response.status_code == 403


async def test_the_server_s_own_page_is_let_in(door: Door, unique: str) -> None:
    own = door.url.rpartition("/apps")[0] or door.url
    async with dial(door, origin=Origin(own)) as line:
        await line.send(hello(f"Ann {unique}"))
        assert json.loads(await line.recv())["t"] == "welcome"


@pytest.mark.parametrize("first", ['{"t":"history","s":1}', "nonsense", "[]", "7", '{"t":"ping"}'])
async def test_the_first_frame_is_a_hello(line: ClientConnection, first: str) -> None:
    await line.send(first)
    assert await closed_with(line) == 4400


async def test_a_hello_that_is_refused_says_why_before_the_close(line: ClientConnection) -> None:
    await line.send(hello("a/b"))
    refusal = json.loads(await line.recv())
    assert refusal["t"] == "err"
    assert refusal["d"]["code"] == "bad"
    assert "s" not in refusal
    assert await closed_with(line) == 4401


async def test_no_common_version(line: ClientConnection, unique: str) -> None:
    await line.send(hello(f"Ann {unique}", v=[2, 7]))
    assert json.loads(await line.recv())["d"]["code"] == "unsupported"
    assert await closed_with(line) == 4401


async def test_bye_is_answered_with_the_close(line: ClientConnection, unique: str) -> None:
    await line.send(hello(f"Ann {unique}"))
    await line.send('{"t":"bye"}')
    assert await closed_with(line) == 1000


async def test_ping_is_answered_with_the_same_body(line: ClientConnection, unique: str) -> None:
    await line.send(hello(f"Ann {unique}"))
    await line.recv()
    await line.send('{"t":"ping","d":{"ts":123456789}}')
    pong = json.loads(await line.recv())
    assert pong["t"] == "pong"
    assert pong["d"] == {"ts": 123456789}
    assert "s" not in pong


async def test_a_gap_closes_the_socket_and_a_resume_fills_it(join: Join) -> None:
    ann = await join("Ann")
    await settle(ann)
    await ann.raw(b'{"t":"seen","s":7,"id":"too far","d":{"calls":[]}}')
    assert (await ann.wait_closed()).code == 4409
    assert await ann.resume() is True
    await settle(ann)


async def test_an_older_message_is_dropped(join: Join) -> None:
    ann = await join("Ann")
    await settle(ann)
    await ann.raw(b'{"t":"seen","s":1,"id":"again","d":{"calls":[]}}')
    await settle(ann)
    assert not [message for message in ann.log if message.get("re") == "again"]


async def test_a_batch_is_taken_in_order(join: Join) -> None:
    ann = await join("Ann")
    batch = [{"t": "seen", "s": ann.next_s(), "id": f"b{place}", "d": {"calls": []}} for place in range(64)]
    await ann.raw(json.dumps(batch).encode())
    await settle(ann)
    answers = [message["re"] for message in ann.log if str(message.get("re")).startswith("b")]
    assert answers == [f"b{place}" for place in range(64)]


async def test_a_frame_that_is_too_large_closes_the_socket(join: Join) -> None:
    ann = await join("Ann")
    await ann.raw(b'{"t":"ping","d":{"ts":"' + b"x" * 70_000 + b'"}}')
    assert (await ann.wait_closed()).code == 1009
    assert await ann.resume() is True


async def test_a_binary_message_costs_the_socket_only(join: Join) -> None:
    ann = await join("Ann")
    await ann.raw(b'{"t":"ping"}', text=False)
    assert (await ann.wait_closed()).code == 1003
    assert await ann.resume() is True
    await settle(ann)


async def test_text_that_is_no_unicode_costs_the_socket_at_most(join: Join) -> None:
    ann = await join("Ann")
    await ann.raw(b'{"t":"ping","d":{"ts":"\xff\xfe"}}')
    refused, closed = asyncio.create_task(ann.expect("err")), asyncio.create_task(ann.wait_closed())
    await asyncio.wait((refused, closed), return_when=asyncio.FIRST_COMPLETED)
    if refused.done():
        assert refused.result()["d"]["code"] == "bad"
    else:
        assert closed.result().code == 1007  # RFC 6455, section 8.1
        assert await ann.resume() is True
    for waiting in (refused, closed):
        waiting.cancel()
    await settle(ann)


async def test_two_sockets_of_one_session_do_not_live_together(join: Join) -> None:
    ann = await join("Ann")
    before = ann.leave_behind()
    assert await ann.resume() is True
    with pytest.raises(ClosedError) as closed:
        await drain(before)
    assert closed.value.code == 4440
    await settle(ann)


async def drain(transport: Transport) -> None:
    """Read until the end of it."""
    while True:
        await transport.receive(0)
