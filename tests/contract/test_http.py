"""What is particular to the HTTP doors: paths, keys, status codes, the stream (protocol, section 2.2)."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contract.doors import DOORS, Door, Way

# Server-sent events and poll share their paths: one of them, at the stand-alone server and below a prefix.
HTTP = [Way(door, "memory") for door in DOORS if door.name in ("sse", "mounted")]

pytestmark = pytest.mark.parametrize("way", HTTP, ids=str, indirect=True)


@pytest.fixture
async def http(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, timeout=20, trust_env=False) as client:
        yield client


class Session:
    def __init__(self, http: httpx.AsyncClient, welcome: dict[str, Any]) -> None:
        self.http = http
        self.key: str = welcome["key"]
        self.path = f"/signal/sessions/{welcome['sid']}"
        self.auth = {"Authorization": f"Bearer {self.key}"}

    async def say(self, *messages: dict[str, Any]) -> httpx.Response:
        body = json.dumps(messages[0] if len(messages) == 1 else list(messages))
        return await self.http.post(f"{self.path}/messages", content=body, headers=self.auth)

    async def poll(self, rx: int, wait_s: int = 10) -> httpx.Response:
        query = {"rx": rx, "wait_s": wait_s}
        return await self.http.get(f"{self.path}/poll", params=query, headers=self.auth)


def hello(name: str) -> dict[str, Any]:
    key, device = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    return {"t": "hello", "d": {"v": [1], "name": name, "own": key, "dev": device}}


@pytest.fixture
async def session(http: httpx.AsyncClient, unique: str) -> Session:
    answer = await http.post("/signal/sessions", json=hello(f"Ann {unique}"))
    assert answer.status_code == 200, answer.text
    welcome = answer.json()
    assert welcome["t"] == "welcome"
    return Session(http, welcome["d"])


def seen(s: int, **more: Any) -> dict[str, Any]:
    return {"t": "seen", "s": s, "d": {"calls": []}} | more


async def test_a_hello_that_is_refused_is_a_4xx_with_an_err(http: httpx.AsyncClient, unique: str) -> None:
    wrong: list[Any] = [hello("a/b"), {"t": "history", "s": 1}, 7, [], hello(f"Ann {unique}") | {"d": 7}]
    for body in wrong:
        answer = await http.post("/signal/sessions", json=body)
        assert 400 <= answer.status_code < 500
        assert answer.json()["t"] == "err"
        assert answer.json()["d"]["code"] == "bad"


async def test_messages_are_acknowledged_and_answers_come_by_poll(session: Session) -> None:
    assert (await session.say(seen(1, id="a"))).json() == {"a": 1}
    assert (await session.say(seen(2, id="b"), seen(3, id="c"))).json() == {"a": 3}
    answers: list[Any] = []
    while len(answers) < 3:
        more = await session.poll(len(answers))
        assert more.status_code == 200
        answers += more.json()
    assert [(m["t"], m["s"], m["re"]) for m in answers] == [("ok", 1, "a"), ("ok", 2, "b"), ("ok", 3, "c")]


async def test_a_message_that_was_sent_twice_counts_once(session: Session) -> None:
    for _ in range(3):
        assert (await session.say(seen(1, id="a"))).json() == {"a": 1}
    assert (await session.say(seen(2, id="b"))).json() == {"a": 2}
    answers: list[Any] = []
    while len(answers) < 2:
        answers += (await session.poll(len(answers))).json()
    assert [m["re"] for m in answers] == ["a", "b"]


async def test_a_gap_is_a_409_that_says_where(session: Session) -> None:
    await session.say(seen(1))
    answer = await session.say(seen(5))
    assert answer.status_code == 409
    assert answer.json() == {"rx": 1}
    assert (await session.say(seen(2))).status_code == 200


async def test_a_poll_without_news_is_an_empty_array(session: Session) -> None:
    answer = await session.poll(0, wait_s=1)
    assert answer.status_code == 200
    assert answer.json() == []


async def test_what_was_not_received_comes_again_and_what_was_does_not(session: Session) -> None:
    await session.say(seen(1, id="a"), seen(2, id="b"))
    assert [m["s"] for m in (await session.poll(0)).json()] == [1, 2]
    assert [m["s"] for m in (await session.poll(0)).json()] == [1, 2]
    assert [m["s"] for m in (await session.poll(1)).json()] == [2]
    await session.say(seen(3, id="c"))
    assert [m["s"] for m in (await session.poll(2)).json()] == [3]


async def test_without_the_key_there_is_no_way_in(session: Session) -> None:
    wrong: list[dict[str, str]] = [{}, {"Authorization": "Bearer x"}, {"Authorization": session.key}]
    for headers in wrong:
        for method, path in (
            ("GET", f"/events?rx=0&key={session.key}"),
            ("GET", "/poll?rx=0&wait_s=0"),
            ("POST", "/messages"),
            ("DELETE", ""),
        ):
            answer = await session.http.request(method, session.path + path, headers=headers)
            assert answer.status_code == 401, (method, path, headers)
            assert session.key not in answer.text
    answer = await session.http.post(f"{session.path}/bye", json={"key": "x"})
    assert answer.status_code == 401
    assert (await session.say(seen(1))).json() == {"a": 1}, "the session is untouched"


async def test_a_session_that_never_was_is_gone(session: Session) -> None:
    session.path = "/signal/sessions/" + "x" * 22
    assert (await session.say(seen(1))).status_code == 410
    assert (await session.poll(0)).status_code == 410


async def test_delete_ends_the_session(session: Session) -> None:
    assert (await session.http.delete(session.path, headers=session.auth)).status_code == 204
    assert (await session.say(seen(1))).status_code == 410


async def test_a_page_that_unloads_says_bye_with_the_key_in_the_body(session: Session) -> None:
    # navigator.sendBeacon sends a text as text/plain
    answer = await session.http.post(
        f"{session.path}/bye", content=json.dumps({"key": session.key}), headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 204
    assert (await session.say(seen(1))).status_code == 410


async def test_the_stream_begins_with_a_heartbeat_and_numbers_its_events(session: Session) -> None:
    await session.say(seen(1, id="a"), seen(2, id="b"))
    lines = await read_stream(session, {"rx": "1"}, {}, 4)
    assert lines[0] == ":hb"
    event = [line for line in lines[1:] if line]
    assert event[0] == "id: 2"
    assert json.loads(event[1].removeprefix("data: "))["re"] == "b"


async def test_last_event_id_counts_where_the_query_has_no_rx(session: Session) -> None:
    await session.say(seen(1, id="a"), seen(2, id="b"))
    lines = await read_stream(session, {}, {"Last-Event-ID": "1"}, 4)
    assert "id: 2" in lines
    assert "id: 1" not in lines


async def test_a_new_stream_ends_the_one_before(session: Session) -> None:
    async def listen() -> None:
        async with session.http.stream("GET", f"{session.path}/events?rx=0", headers=session.auth) as stream:
            opened.set()
            async for _ in stream.aiter_bytes():
                pass

    opened = asyncio.Event()
    first = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        await opened.wait()
        await read_stream(session, {"rx": "0"}, {}, 1)
        await first


async def test_a_new_poll_ends_the_one_before(session: Session) -> None:
    first = asyncio.create_task(session.poll(0, wait_s=20))
    async with asyncio.timeout(10):
        while not first.done():
            await session.poll(0, wait_s=0)
    assert first.result().status_code == 200
    assert first.result().json() == []


async def test_a_frame_that_is_too_large_is_a_413(session: Session) -> None:
    answer = await session.say(seen(1, x="x" * 70_000))
    assert answer.status_code == 413
    assert (await session.say(seen(1))).json() == {"a": 1}


async def test_answers_are_not_kept_by_anybody_on_the_way(session: Session) -> None:
    await session.say(seen(1, id="a"))
    answer = await session.poll(0)
    assert "no-store" in answer.headers["cache-control"]
    async with session.http.stream("GET", f"{session.path}/events?rx=0", headers=session.auth) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "no-store" in stream.headers["cache-control"]
        assert stream.headers["x-accel-buffering"] == "no"


async def test_a_page_from_elsewhere_is_not_let_in(http: httpx.AsyncClient, unique: str) -> None:
    answer = await http.post(
        "/signal/sessions", json=hello(f"Ann {unique}"), headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


async def read_stream(session: Session, query: dict[str, str], more: dict[str, str], lines: int) -> list[str]:
    """The first lines of a stream."""
    read: list[str] = []
    async with (
        asyncio.timeout(10),
        session.http.stream("GET", f"{session.path}/events", params=query, headers=session.auth | more) as stream,
    ):
        assert stream.status_code == 200
        async for line in stream.aiter_lines():
            read.append(line)
            if len(read) >= lines:
                break
    return read
