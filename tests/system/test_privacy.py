"""The server learns little and keeps less: after a full call nothing of what was said can be found anywhere."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from client import Client, ClosedError, Kind, Message, RefusedError, ulid
from client.conversation import ring, settle, talk
from client.transport import SUBPROTOCOL
from system.conftest import Enter, Serve
from system.server_process import ServerProcess, create_token

# Where the guest below connects from: the whole of 127.0.0.0/8 is this machine, so the address can be told apart.
FROM = "127.0.0.77"


def marked_description(kind: str, mark: str) -> Message:
    sdp = f"v=0\r\no=- {mark} 2 IN IP4 203.0.113.77\r\ns=-\r\na=ice-pwd:{mark}\r\na=fingerprint:sha-256 {mark}\r\n"
    return {"pc": "p2p", "g": 1, "n": 1, "sdp": {"type": kind, "sdp": sdp}}


async def full_call(ann: Client, bob: Client, mark: str) -> None:
    """All that travels in a call, with a mark in every body."""
    call = await talk(ann, bob)
    candidate = {"candidate": f"candidate:1 1 udp 1 203.0.113.77 9 typ host ufrag {mark}", "usernameFragment": mark}
    for speaker, listener, kind in ((ann, bob, "offer"), (bob, ann, "answer")):
        await speaker.notify("desc", call, **marked_description(kind, mark))
        await speaker.notify("cand", call, pc="p2p", g=1, c=[candidate], end=True)
        await speaker.notify("info", call, k="chat", text=mark)
        for t in ("desc", "cand", "info"):
            await listener.expect(t, call)
    await bob.request("end", call)
    await ann.expect("end", call)
    # and where nothing may pass any more
    with pytest.raises(RefusedError):
        await ann.request("desc", call, **marked_description("offer", mark))


async def misbehave(server: ServerProcess, mark: str) -> None:
    """Things that end up in error paths: each with a mark in it."""
    key, device = f"own-key-{mark}", f"device-id-{mark}"
    hello: Message = {"t": "hello", "d": {"v": [1], "name": f"Guest {secrets.token_hex(4)}", "own": key, "dev": device}}
    wrong: list[Any] = [hello | {"d": hello["d"] | {"v": mark}}, hello | {"d": hello["d"] | {"dev": mark + "!"}}, mark]
    for first in wrong:
        async with dial(server) as line:
            await line.send(json.dumps(first))
            await line.wait_closed()
    async with dial(server) as line:
        await line.send(json.dumps(hello))
        await line.recv()
        for frame in (
            mark,
            json.dumps({"t": mark, "s": 1, "d": {mark: mark}}),
            json.dumps({"t": "desc", "s": 2, "call": ulid(), "d": marked_description("offer", mark)}),
            json.dumps({"t": "call", "s": 3, "call": mark, "d": {"to": mark, "media": [mark]}}),
            '{"t":"info","s":4,"d":{"x":"' + mark + '"' + "[" * 60_000,
            json.dumps({"t": "ping", "d": {"ts": mark * 5000}}),
        ):
            try:
                await line.send(frame)
            except ConnectionClosed:
                break
        await line.wait_closed()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=10) as http:
        bearer = {"Authorization": f"Bearer {mark}"}
        for method, path in (
            ("POST", f"/signal/sessions/{mark}/messages"),
            ("GET", f"/signal/sessions/{mark}/events?rx=0&key={mark}"),
            ("GET", f"/api/v1/people?token={mark}"),
            ("GET", f"/{mark}"),
        ):
            await http.request(method, path, headers=bearer, content=mark if method == "POST" else None)


def dial(server: ServerProcess) -> connect:
    url = f"ws://127.0.0.1:{server.port}/signal"
    return connect(url, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None, local_addr=(FROM, 0))


async def open_pages(server: ServerProcess) -> str:
    """All that the operator can read over HTTP."""
    paths = ("/metrics", "/healthz", "/api/v1/people", "/api/v1/calls", "/api/v1/history", "/api/v1/openapi.json")
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=10) as http:
        return "\n".join([(await http.get(path)).text for path in paths])


def find(secret: str, folder: Path) -> list[str]:
    """The files of the server (database, its -wal, logs) that hold this."""
    return [str(file) for file in sorted(folder.rglob("*")) if file.is_file() and secret.encode() in file.read_bytes()]


@pytest.mark.parametrize("logs", ["plain", "json"])
async def test_no_trace_of_what_was_said(serve: Serve, enter: Enter, transport: Kind, logs: str) -> None:
    server = serve(*(["--json-logs"] if logs == "json" else []))
    mark = "mark" + secrets.token_hex(12)
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    await ann.request("watch")
    await full_call(ann, bob, mark)
    await misbehave(server, mark)
    await bob.abort_socket()
    await bob.resume()
    await settle(ann, bob)
    secrets_of_the_call = [mark, "203.0.113.77", "typ host", "a=ice-pwd", FROM]
    for client in (ann, bob):
        secrets_of_the_call += [client.own, client.dev, client.welcome["key"], client.welcome["sid"]]

    pages = await open_pages(server)
    for secret in secrets_of_the_call:
        assert secret not in pages
        assert find(secret, server.folder) == [], "while it runs"
    assert ann.name is not None
    assert find(ann.name, server.folder), "the names are in the database: the search does find things"
    assert server.stop() == 0
    for secret in secrets_of_the_call:
        assert find(secret, server.folder) == [], "when it is over"


@pytest.mark.parametrize("logs", ["plain", "json"])
async def test_tokens_are_written_nowhere(serve: Serve, guests: list[Client], logs: str) -> None:
    server = serve("--auth", "token", *(["--json-logs"] if logs == "json" else []))
    token = create_token(server.folder, "Ann")
    for transport in ("websocket", "sse", "poll"):
        guests.append(await Client.connect(server.url, None, token=token, transport=transport))
        broken = token[:-6] + "AAAAAA"
        with pytest.raises((RefusedError, ClosedError)):
            guests.append(await Client.connect(server.url, None, token=broken, transport=transport))
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False) as http:
        await http.get("/api/v1/people", headers={"Authorization": f"Bearer {token}"})
        await http.get(f"/api/v1/people?tok={token}")
    pages = await open_pages(server)
    for part in token.split(".")[1:]:
        assert part not in pages
        assert find(part, server.folder) == []


async def test_people_see_of_each_other_a_name_and_a_presence(serve: Serve, enter: Enter, transport: Kind) -> None:
    """Every message that Ann gets, looked at from outside: what it tells about Bob."""
    server = serve()
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    eve = await enter(server, "Eve", transport)
    await ann.request("watch")
    await full_call(ann, bob, "x")
    await full_call(bob, ann, "x")
    call = await ring(bob, ann)
    await bob.request("cancel", call)
    await ann.expect("missed")
    call = await ring(ann, bob)
    await bob.notify("rung", call)
    await ann.expect("rung", call)
    await bob.request("decline", call)
    await ann.expect("end", call)
    await ann.request("history")
    await bob.request("pres", st="away")
    await ann.expect("pres")
    await bob.close()
    with pytest.raises(RefusedError):
        await ann.request("call", ulid(), to=f"u/{bob.u}", media=["a"])
    await settle(ann, eve)

    seen_types = {message["t"] for message in ann.log}
    assert {"ring", "rung", "up", "end", "stop", "missed", "pres", "ok", "err", "desc", "cand"} <= seen_types
    for message in ann.log:
        assert set(message) <= {"t", "s", "a", "re", "call", "from", "d"}
        if message["t"] in ("desc", "cand", "info"):
            assert message["from"] == {"u": bob.u, "n": bob.name}
            continue  # its body is Bob's own words
        for entry in everything_about(bob.u, message):
            assert set(entry) <= {"u", "n", "st"}, message
        text = json.dumps(message)
        for secret in (bob.dev, bob.own, bob.welcome["sid"], bob.welcome["key"], "127.0.0.1"):
            assert secret not in text
    keys = {t: set().union(*(m.get("d", {}) for m in ann.log if m["t"] == t)) for t in seen_types}
    assert keys["ring"] == {"media", "exp", "now"}
    assert keys["rung"] == set()
    assert keys["up"] == {"peer", "polite", "media", "again", "fresh"}
    assert keys["end"] == {"why"}
    assert keys["stop"] == {"why"}
    assert keys["pres"] == {"people"}
    assert not eve.inbox, "who does not watch is told nothing"


def everything_about(u: str, value: Any) -> list[dict[str, Any]]:
    """All objects inside that carry this person's `u`."""
    if isinstance(value, list):
        return [found for item in value for found in everything_about(u, item)]
    if not isinstance(value, dict):
        return []
    inner = [found for item in value.values() for found in everything_about(u, item)]
    return [value, *inner] if value.get("u") == u else inner


async def test_a_watcher_learns_nothing_of_people_who_are_not_there(serve: Serve, enter: Enter) -> None:
    server = serve()
    bob = await enter(server, "Bob")
    await bob.close()
    ann = await enter(server, "Ann")
    people = (await ann.request("watch"))["people"]
    assert people == [{"u": ann.u, "n": ann.name, "st": "online"}]
