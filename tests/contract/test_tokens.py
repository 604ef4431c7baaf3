"""Servers that ask for a token (protocol, section 4; `peerline serve --auth token`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Client, Kind, RefusedError
from client.conversation import hear_each_other, talk
from system.server_process import ServerProcess, create_token, standalone


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = standalone(tmp_path_factory.mktemp("tokens"), "--no-db", "--auth", "token").start()
    yield running
    running.end()


@pytest.fixture(params=["websocket", "sse", "poll"])
def transport(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


async def enter(server: ServerProcess, transport: Kind, name: str | None, token: str | None) -> Client:
    return await Client.connect(server.url, name, transport=transport, token=token)


async def refusal(server: ServerProcess, transport: Kind, name: str | None, token: str | None) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        await (await enter(server, transport, name, token)).close()
    return refused.value


async def test_the_token_names_the_person(server: ServerProcess, transport: Kind) -> None:
    token = create_token(server.folder, "Ann Lee")
    for name in (None, "Ann Lee", "ANN  lee"):
        ann = await enter(server, transport, name, token)
        assert ann.welcome["me"] == {"u": "ann lee", "n": "Ann Lee", "rights": []}
        await ann.close()


async def test_two_with_tokens_talk(server: ServerProcess, transport: Kind) -> None:
    ann = await enter(server, transport, None, create_token(server.folder, f"Ann {transport}"))
    bob = await enter(server, transport, None, create_token(server.folder, f"Bob {transport}"))
    call = await talk(ann, bob)
    await hear_each_other(ann, bob, call)
    await ann.abort_socket()
    assert await ann.resume() is True
    await ann.close()
    await bob.expect("end", call)
    await bob.close()


async def test_rights_stand_in_the_welcome(server: ServerProcess, transport: Kind) -> None:
    token = create_token(server.folder, "Root", "--right", "admin")
    root = await enter(server, transport, None, token)
    assert root.welcome["me"]["rights"] == ["admin"]
    await root.close()


async def test_without_a_valid_token_nobody_comes_in(server: ServerProcess, transport: Kind, tmp_path: Path) -> None:
    token = create_token(server.folder, "Ann")
    head, body, signature = token.split(".")
    wrong = {
        "none": None,
        "empty": "",
        "no token": "nonsense",
        "broken": f"{head}.{body}.{signature[::-1]}",
        "unsigned": f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.",
        "from another server": create_token(tmp_path, "Ann"),
    }
    for what, given in wrong.items():
        refused = await refusal(server, transport, "Ann", given)
        assert refused.code == "auth", what
        if given:
            assert given not in str(refused.message)


async def test_a_token_is_good_for_its_own_name_only(server: ServerProcess, transport: Kind) -> None:
    token = create_token(server.folder, "Ann")
    assert (await refusal(server, transport, "Bob", token)).code == "auth"


async def test_a_token_ends(server: ServerProcess, transport: Kind) -> None:
    """Who is in when it ends is told so and must leave; nobody comes in with it any more."""
    token = create_token(server.folder, f"Brief {transport}", "--ttl", "5s")
    brief = await enter(server, transport, None, token)
    await brief.wait_closed(timeout_s=20)
    assert brief.bye is not None
    assert brief.bye["why"] == "expired"
    assert brief.bye["act"] in ("rejoin", "stop")
    deadline = time.monotonic() + 10  # tokens count in whole seconds
    while True:
        refused = await refusal(server, transport, None, token)
        if refused.code == "auth" or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    assert refused.code == "auth"
