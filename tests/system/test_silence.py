"""Sockets and sides that fall silent: the hello that never comes, the network that died, the page that crashed."""

from __future__ import annotations

import asyncio
import json
import secrets

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from client import Kind
from client.conversation import hear_each_other, settle, talk
from client.transport import SUBPROTOCOL
from system.conftest import Enter, Serve, until
from system.server_process import ServerProcess


async def test_a_socket_without_a_hello_is_closed(serve: Serve) -> None:
    server = serve("--no-db", signaling={"hello_timeout_s": 0.3})
    async with connect(
        f"ws://127.0.0.1:{server.port}/signal", subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None
    ) as line:
        async with asyncio.timeout(10):
            await line.wait_closed()
        assert line.close_code == 4408


async def test_a_socket_without_a_sign_of_life_is_closed(serve: Serve, enter: Enter) -> None:
    server = serve("--no-db", signaling={"heartbeat_s": 0.3})
    ann, bob = await enter(server, "Ann"), await enter(server, "Bob")
    call = await talk(ann, bob)
    bob.fall_silent()
    assert (await bob.wait_closed()).code == 4408
    assert await bob.resume() is True
    await hear_each_other(ann, bob, call)


async def test_who_pings_stays(serve: Serve, enter: Enter) -> None:
    server = serve("--no-db", signaling={"heartbeat_s": 0.2})
    ann = await enter(server, "Ann")
    await until(lambda: ann.pongs >= 12, "12 pings were answered: longer than a silent socket lives")
    await settle(ann)
    assert ann.bye is None


@pytest.mark.parametrize("transport", ["sse", "poll"])
async def test_who_waits_over_http_stays(serve: Serve, enter: Enter, transport: Kind) -> None:
    server = serve("--no-db", signaling={"heartbeat_s": 0.2})
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    call = await talk(ann, bob)
    await asyncio.sleep(2.5)  # longer than a silent socket lives
    assert ann._tasks[0].done() is False, "its stream was never ended"
    await hear_each_other(ann, bob, call)
    assert ann.bye is None


async def test_a_side_that_does_not_come_back_is_lost(serve: Serve, enter: Enter, transport: Kind) -> None:
    server = serve("--no-db", signaling={"grace_s": 2, "linger_s": 1, "heartbeat_s": 0.4})
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    call = await talk(ann, bob)
    await bob.abort_socket()
    assert (await ann.expect("end", call))["d"] == {"why": "lost"}
    assert await bob.resume() is False


async def test_a_page_that_crashed_and_does_not_sync_is_lost(serve: Serve, enter: Enter) -> None:
    server = serve("--no-db", signaling={"hold_s": 0.5})
    ann, bob = await enter(server, "Ann"), await enter(server, "Bob")
    call = await talk(ann, bob)
    await bob.abort_socket()
    again = await enter(server, also=bob, dev=bob.dev)
    assert (await ann.expect("end", call))["d"] == {"why": "lost"}
    await settle(again)


async def test_half_a_request_keeps_nobody_else_waiting(serve: Serve, enter: Enter, transport: Kind) -> None:
    """Slow loris: many connections that never finish their request. They are closed in the end."""
    server = serve("--no-db", signaling={"hello_timeout_s": 1.0})
    halves = [
        b"",
        b"G",
        b"GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: webso",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 100,
        b"POST /signal/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    ]
    lines = []
    for number in range(100):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(halves[number % len(halves)])
        lines.append((reader, writer))
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    call = await talk(ann, bob)
    await hear_each_other(ann, bob, call)
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(closed(reader) for reader, _ in lines))
    finally:
        for _, writer in lines:
            writer.close()
    await hear_each_other(ann, bob, call)


async def closed(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(4096):
            pass
    except ConnectionError:
        pass


async def test_endless_headers_are_refused(shared: ServerProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
    writer.write(b"GET /signal HTTP/1.1\r\nHost: localhost\r\n")
    try:
        async with asyncio.timeout(20):
            for number in range(20_000):
                writer.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))
                await writer.drain()
            await closed(reader)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_a_slow_second_request_is_closed_too(serve: Serve) -> None:
    server = serve("--no-db", signaling={"hello_timeout_s": 0.5})
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.write(b"GET /healthz HTTP/1.1\r\nHo")
        async with asyncio.timeout(10):
            assert b"HTTP/1.1 408" in await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "TRACE", "FOO"])
async def test_other_methods_harm_nobody(shared: ServerProcess, method: str) -> None:
    async with httpx.AsyncClient(base_url=shared.url, trust_env=False, verify=False, timeout=10) as http:
        for path in ("/signal", "/signal/sessions", "/signal/sessions/x/messages", "/signal/sessions/x/events"):
            answer = await http.request(method, path)
            assert 400 <= answer.status_code < 500, (method, path, answer.status_code)


async def test_a_websocket_need_not_offer_the_sub_protocol(shared: ServerProcess) -> None:
    key, device = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    hello = {"t": "hello", "d": {"v": [1], "name": device, "own": key, "dev": device}}
    async with connect(f"ws://127.0.0.1:{shared.port}/signal", proxy=None) as line:
        assert line.subprotocol is None
        await line.send(json.dumps(hello))
        assert json.loads(await line.recv())["t"] == "welcome"
