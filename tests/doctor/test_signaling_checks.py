"""Signaling through proxies that get in the way, and with servers that answer oddly."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as websocket_server

from peerline.doctor import http, websocket
from peerline.doctor.check import Check, State
from peerline.doctor.checks.http_signaling import HttpSignaling
from peerline.doctor.checks.websocket_signaling import WebSocketSignaling
from peerline.doctor.hello import read_welcome
from peerline.doctor.identity import Identity
from peerline.doctor.patient import Patient
from peerline.errors import PeerlineError
from peerline.server_url import parse_server

WELCOME = {
    "v": 1, "sid": "s", "key": "k", "epoch": "e", "res": False, "rx": 0, "hb_s": 20, "grace_s": 60,
    "me": {"u": "doctor", "n": "doctor", "rights": []}, "lim": {"frame": 65536, "rate": 50, "burst": 200}, "feat": [],
    "ice": {"servers": [{"urls": ["stun:a", "turns:b?transport=udp", "nonsense"]}], "ttl_s": 60},
}  # fmt: skip


def welcome() -> bytes:
    return json.dumps({"t": "welcome", "d": {**WELCOME, "now": int(time.time() * 1000)}}).encode()


Answer = Callable[[str, str], bytes | None]  # by method and path; None keeps silent


@asynccontextmanager
async def proxy(answer: Answer) -> AsyncIterator[Patient]:
    """Somebody who is examined at a server that answers like this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            said = answer(method, path)
            if said is not None:
                writer.write(said)
                await writer.drain()
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = parse_server(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield Patient(url, Identity("doctor", "k" * 32))
    finally:
        server.close()


def reply(status: int, body: bytes = b"", kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


async def examined(check: Check, patient: Patient) -> Check:
    await check.run(patient, lambda _: None)
    return check


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WITHIN_S", 2.0)
    monkeypatch.setattr(websocket, "WITHIN_S", 2.0)


def server(events: bytes | None, poll: bytes) -> Answer:
    def answer(method: str, path: str) -> bytes | None:
        if path.partition("?")[0].endswith("/events"):
            return events
        if "/poll" in path:
            return poll
        return reply(204) if method == "DELETE" else reply(200, welcome())

    return answer


async def test_events_that_flow_are_well_and_the_servers_offer_is_kept() -> None:
    async with proxy(server(reply(200, b":hb\n\n", "text/event-stream"), b"")) as patient:
        check = await examined(HttpSignaling(), patient)
    assert check.state is State.OK
    assert [str(one.url) for one in patient.ice_servers] == ["stun:a:3478"], "what nobody understands is left out"
    assert patient.clock_ahead_s is not None


@pytest.mark.parametrize("events", [None, reply(200, b"\n\n"), reply(502)], ids=["silent", "changed", "refused"])
async def test_events_that_are_held_back_are_a_warning_with_the_line_for_the_proxy(events: bytes | None) -> None:
    async with proxy(server(events, reply(200, b"[]"))) as patient:
        check = await examined(HttpSignaling(), patient)
    assert check.state is State.WARNING
    assert check.outcome is not None
    assert check.outcome.fix == "behind nginx: proxy_buffering off;"


async def test_neither_events_nor_polls_are_a_failure() -> None:
    async with proxy(server(reply(502), reply(502))) as patient:
        assert (await examined(HttpSignaling(), patient)).state is State.FAILED


@pytest.mark.parametrize("answer", [reply(400, b"no upgrade"), reply(200, b"hi"), b"\xff\xff\r\n\r\n", None])
async def test_a_proxy_that_lets_no_websocket_through_is_told_how(answer: bytes | None) -> None:
    async with proxy(lambda method, path: answer) as patient:
        check = await examined(WebSocketSignaling(), patient)
    assert check.state is State.FAILED
    assert check.outcome is not None
    assert check.outcome.fix is not None
    assert "proxy_set_header Upgrade" in check.outcome.fix


async def test_frames_that_are_no_pong_are_passed_over() -> None:
    frames = [
        b"nonsense",
        b"7",
        b"[1]",
        b'{"t":"pong","d":{"ts":9}}',
        b'[{"t":"pres"},{"t":"pong","s":1,"d":{"ts":0}}]',
    ]

    async def serve(connection: ServerConnection) -> None:
        async for frame in connection:
            if "hello" in str(frame):
                await connection.send(welcome().decode())
            else:
                for odd in frames if "ping" in str(frame) else ():
                    await connection.send(odd.decode().replace('"ts":0', f'"ts":{json.loads(frame)["d"]["ts"]}'))

    async with websocket_server(serve, "127.0.0.1", 0) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        patient = Patient(parse_server(f"http://127.0.0.1:{port}"), Identity("doctor", "k" * 32))
        check = await examined(WebSocketSignaling(), patient)
    assert check.state is State.OK, check.outcome
    assert "WebSocket" in patient.facts.round_trips_s


@pytest.mark.parametrize(
    "frame",
    [b"", b"\xff", b"[]", b"{}", b'{"t":"welcome"}', b'{"t":"welcome","d":{"v":"one"}}', b'{"t":"err","d":{}}',
     b'{"t":"err","d":[]}', b'{"t":"pong","d":{}}'],
)  # fmt: skip
def test_an_answer_to_hello_that_is_none_raises_nothing_but_our_own_error(frame: bytes) -> None:
    with pytest.raises(PeerlineError):
        read_welcome(frame)


@pytest.mark.parametrize(("code", "hint"), [("auth", "peerline token create"), ("rate", "wait a minute")])
def test_a_refusal_keeps_the_servers_words(code: str, hint: str) -> None:
    body: dict[str, Any] = {"code": code, "msg": "no entry", "hint": "wait a minute"}
    with pytest.raises(PeerlineError, match="no entry") as refused:
        read_welcome(json.dumps({"t": "err", "d": body}).encode())
    assert refused.value.code == code
    assert hint in (refused.value.hint or "")
