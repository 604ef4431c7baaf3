"""What is no message of the protocol changes nothing (protocol, sections 3 and 11)."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from client import Kind
from client.conversation import hear_each_other, settle, talk
from client.transport import SUBPROTOCOL
from system.conftest import Enter
from system.server_process import ServerProcess

DEEP = 30_000

NO_MESSAGES = {
    "not JSON": b"hello?",
    "empty": b"",
    "cut short": b'{"t":"ping","d":{',
    "two at once": b'{"t":"ping"}{"t":"ping"}',
    "a number": b"7",
    "a text": b'"ping"',
    "null": b"null",
    "an empty batch": b"[]",
    "a batch of 65": b"[" + b",".join([b'{"t":"ping"}'] * 65) + b"]",
    "a batch in a batch": b'[[{"t":"ping"}]]',
    "a batch with a number in it": b'[{"t":"ping"},7]',
    "no type": b'{"s":1}',
    "a type that is no text": b'{"t":7,"s":1}',
    "no sequence number": b'{"t":"history","id":"x"}',
    "a sequence number of text": b'{"t":"history","s":"1"}',
    "a sequence number below one": b'{"t":"history","s":0}',
    "a sequence number without end": b'{"t":"history","s":' + b"9" * 5000 + b"}",
    "an id that is too long": b'{"t":"ping","id":"' + b"x" * 65 + b'"}',
    "not a number": b'{"t":"ping","d":{"ts":NaN}}',
    "deep": b"[" * 60_000,
    "deep inside d": b'{"t":"ping","d":' + b"[" * 60_000 + b"}",
    "deep and closed": b'{"t":"ping","d":{"x":' + b"[" * DEEP + b"]" * DEEP + b"}}",
    "deep objects": b'{"t":"ping","d":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
}


@pytest.mark.parametrize("frame", NO_MESSAGES.values(), ids=NO_MESSAGES)
async def test_it_is_refused_and_the_session_goes_on(
    shared: ServerProcess, enter: Enter, transport: Kind, frame: bytes
) -> None:
    ann, bob = await enter(shared, "Ann", transport), await enter(shared, "Bob", transport)
    call = await talk(ann, bob)
    await ann.raw(frame)
    refusal = await ann.expect("err")
    assert refusal["d"]["code"] == "bad"
    assert refusal["d"]["msg"]
    await hear_each_other(ann, bob, call)
    await ann.request("end", call)


async def test_a_deep_body_does_not_reach_the_other_side(shared: ServerProcess, enter: Enter, transport: Kind) -> None:
    """The server does not read the body, and yet does not pass on what would break its reader."""
    ann, bob = await enter(shared, "Ann", transport), await enter(shared, "Bob", transport)
    call = await talk(ann, bob)
    body = b"[" * DEEP + b"]" * DEEP
    frame = b'{"t":"info","s":%d,"call":"%s","d":{"x":%s}}' % (ann.peek_s(), call.encode(), body)
    await ann.raw(frame)
    assert (await ann.expect("err"))["d"]["code"] == "bad"
    await hear_each_other(ann, bob, call)
    await settle(bob)
    assert not [m for m in bob.log if m["t"] == "info" and "x" in m["d"]]


async def test_half_a_surrogate_is_refused(shared: ServerProcess, enter: Enter) -> None:
    ann, bob = await enter(shared, "Ann"), await enter(shared, "Bob")
    call = await talk(ann, bob)
    await ann.raw(b'{"t":"info","s":%d,"call":"%s","d":{"k":"\\ud800"}}' % (ann.peek_s(), call.encode()))
    assert (await ann.expect("err"))["d"]["code"] == "bad"
    await hear_each_other(ann, bob, call)
    await settle(ann, bob)


async def test_an_oversized_frame_costs_the_socket_only(shared: ServerProcess, enter: Enter, transport: Kind) -> None:
    ann, bob = await enter(shared, "Ann", transport), await enter(shared, "Bob", transport)
    call = await talk(ann, bob)
    frame = b'{"t":"ping","d":{"ts":"' + b"x" * 1_000_000 + b'"}}'
    if transport == "websocket":
        await ann.raw(frame)
        assert (await ann.wait_closed()).code == 1009
        assert await ann.resume() is True
    else:
        with pytest.raises(Exception, match="413"):
            await ann.raw(frame)
    await hear_each_other(ann, bob, call)


# --- anything at all, anywhere in the envelope ---------------------------------------------------------------

TYPES = [
    "hello", "welcome", "ping", "pong", "ack", "bye", "pres", "watch", "unwatch", "call", "ring", "rung", "accept",
    "decline", "cancel", "up", "stop", "end", "desc", "cand", "renego", "restart", "info", "sync", "history", "seen",
    "missed", "ok", "err",
]  # fmt: skip
FIELDS = ["to", "media", "ttl_ms", "why", "scope", "calls", "limit", "before", "st", "res", "v", "name", "own", "dev"]

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
bodies = anything | st.dictionaries(st.sampled_from(FIELDS), anything, max_size=5)
envelopes = st.fixed_dictionaries(
    {"t": st.sampled_from(TYPES) | anything},
    optional={
        "s": st.integers(0, 3) | anything,
        "a": st.integers(0, 3) | anything,
        "id": st.text(max_size=70) | anything,
        "re": anything,
        "call": st.just("01ARZ3NDEKTSV4RRFFQ69G5FAV") | anything,
        "room": anything,
        "from": anything,
        "d": bodies,
    },
)
frames = envelopes | st.lists(envelopes, max_size=4) | anything
fuzz = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

CLOSES = {1000, 1009, 4400, 4401, 4408, 4409, 4410}


def hello() -> dict[str, Any]:
    name, key, device = secrets.token_hex(8), secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    return {"t": "hello", "d": {"v": [1], "name": name, "own": key, "dev": device}}


def dial(server: ServerProcess) -> connect:
    url = f"ws://127.0.0.1:{server.port}/signal"
    return connect(url, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None, compression=None)


async def still_answers(line: ClientConnection) -> bool:
    """Whether a ping is answered; False if the socket was closed with a code that the protocol knows."""
    mark = secrets.token_hex(8)
    try:
        async with asyncio.timeout(10):
            await line.send(json.dumps({"t": "ping", "d": {"ts": mark}}))
            async for text in line:
                if json.loads(text) == {"t": "pong", "d": {"ts": mark}} | with_ack(text):
                    return True
    except ConnectionClosed:
        pass
    await line.wait_closed()
    assert line.close_code in CLOSES, line.close_code
    return False


def with_ack(text: str | bytes) -> dict[str, int]:
    message = json.loads(text)
    return {"a": message["a"]} if isinstance(message, dict) and "a" in message else {}


@fuzz
@given(frame=frames)
async def test_any_frame_is_answered_or_closes_with_a_known_code(shared: ServerProcess, frame: Any) -> None:
    async with dial(shared) as line:
        await line.send(json.dumps(hello()))
        assert json.loads(await line.recv())["t"] == "welcome"
        await line.send(json.dumps(frame))
        await still_answers(line)
        await line.close()
    async with dial(shared) as line:
        await line.send(json.dumps(hello()))
        assert json.loads(await line.recv())["t"] == "welcome", "the server lives"


@fuzz
@given(body=st.fixed_dictionaries({}, optional=dict.fromkeys(["v", "name", "own", "dev", "tok", "res"], anything)))
async def test_any_hello_is_answered(shared: ServerProcess, body: dict[str, Any]) -> None:
    frame = hello()
    frame["d"] |= body
    async with dial(shared) as line:
        await line.send(json.dumps(frame))
        answer = json.loads(await line.recv())
        assert answer["t"] in ("welcome", "err")
        if answer["t"] == "err":
            assert answer["d"]["code"] in ("bad", "unsupported")
            await line.wait_closed()
            assert line.close_code in (4400, 4401)


@fuzz
@given(frame=frames)
async def test_any_post_is_answered_with_a_known_status(shared: ServerProcess, frame: Any) -> None:
    async with httpx.AsyncClient(base_url=shared.url, timeout=10, trust_env=False, verify=False) as http:
        opened = await http.post("/signal/sessions", json=hello())
        session = opened.json()["d"]
        path, auth = f"/signal/sessions/{session['sid']}", {"Authorization": f"Bearer {session['key']}"}
        answer = await http.post(f"{path}/messages", content=json.dumps(frame), headers=auth)
        assert answer.status_code in (200, 400, 409, 410), answer.text
        opened = await http.post("/signal/sessions", content=json.dumps(frame))
        assert opened.status_code in (200, 400, 401, 403, 409), opened.text
        await http.delete(path, headers=auth)
