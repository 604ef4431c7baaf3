"""Data paths through relays alone, of the server of this repository, over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from client.certificates import make_certificate
from peerline.engine.transport import ice_credentials
from peerline.turnserver import make_credentials
from turn.conftest import ANN, SECRET, Serve, Server
from turn.relayed import HERE, Alone, End, Ends, address, connect, relay_of_the_last, talk, trust, words_after


async def test_two_behind_relays_alone_exchange_messages(
    shared: Server, kind: str, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, shared.certificate)
    one, other = ends()
    for end in (one, other):
        end.ask(shared, kind)
    await connect(one, other)
    await talk(one, other)
    for end in (one, other):
        await end.until("it has gathered", lambda end: end.is_gathered)
        assert [words_after(line, "typ") for line in end.candidates] == ["relay"]
        assert (end.urls, end.failures) == ([f"turn:{kind}"], [])
        assert (words_after(end.candidates[0], "raddr"), words_after(end.candidates[0], "rport")) == ("0.0.0.0", "0")
    for end, peer in ((one, other), (other, one)):
        local, remote = end.pairs[-1]
        assert address(local) == address(end.candidates[0])
        assert address(remote) == address(peer.candidates[0])


async def test_who_hides_nothing_tells_where_the_server_sees_him(shared: Server, ends: Ends) -> None:
    one, _ = ends(is_relay_only=False)
    one.ask(shared, "udp")
    await one.until("it has gathered", lambda end: end.is_gathered)
    relayed = next(line for line in one.candidates if words_after(line, "typ") == "relay")
    assert words_after(relayed, "raddr") == HERE
    assert int(words_after(relayed, "rport")) > 0


async def test_a_relay_on_one_side_reaches_who_has_none(shared: Server, ends: Ends) -> None:
    one, _ = ends()
    other = End(is_controlling=False, is_relay_only=False)
    try:
        one.other, other.other = other, one
        one.transport.set_remote_credentials(*other.credentials)
        other.transport.set_remote_credentials(*one.credentials)
        one.ask(shared, "udp")
        other.transport.gather([HERE])
        other.transport.asked_all()
        await other.until("it is connected", lambda end: bool(end.pairs))
        local, remote = other.pairs[-1]
        assert words_after(local, "typ") == "host"
        # Reflexive to who is checked before the relay is told: the address says whose it is.
        assert address(remote) == address(one.candidates[0])
    finally:
        other.transport.close()


async def test_a_wrong_password_is_told_with_the_servers_words(
    shared: Server, kind: str, alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, shared.certificate)
    end = alone()
    end.ask(shared, kind, password="guess")
    await end.until("it has gathered", lambda end: end.is_gathered)
    assert end.failures == [(f"turn:{kind}", 401, "Unauthenticated")]
    assert end.candidates == []


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
async def test_nobody_at_the_servers_port_is_701_at_once(kind: str, alone: Alone) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket() as other:
        one.bind((HERE, 0))
        other.bind((HERE, 0))
        port = (one if kind == "udp" else other).getsockname()[1]
    end = alone()
    end.transport.gather([HERE])
    end.transport.ask_turn(kind, HERE, port, HERE, "ann", "pass", "turn:nobody")
    end.transport.asked_all()
    await end.until("it has gathered", lambda end: end.is_gathered)
    assert end.failures == [("turn:nobody", 701, "connection refused")]


async def test_a_server_that_cannot_show_who_it_is_is_not_used(
    shared: Server, alone: Alone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, make_certificate(tmp_path, "stranger")[0])
    unknown = alone()
    unknown.ask(shared, "tls")
    await unknown.until("it has gathered", lambda end: end.is_gathered)
    trust(monkeypatch, shared.certificate)
    misnamed = alone()
    misnamed.transport.gather([HERE])
    misnamed.transport.ask_turn("tls", *shared.address("tls"), "turn.example.org", "ann", "pass", "turns:")
    misnamed.transport.asked_all()
    await misnamed.until("it has gathered", lambda end: end.is_gathered)
    for end, word in ((unknown, "UnknownIssuer"), (misnamed, "not valid for name")):
        [(_, code, reason)] = end.failures
        assert code == 701
        assert word in reason
        assert end.candidates == []


async def test_a_server_that_speaks_no_turn_is_left(alone: Alone) -> None:
    async def talk_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"<html>Not here</html>")

    server = await asyncio.start_server(talk_http, HERE, 0)
    async with server:
        end = alone()
        end.transport.gather([HERE])
        host, port = server.sockets[0].getsockname()
        end.transport.ask_turn("tcp", host, port, HERE, "ann", "pass", "turn:http")
        end.transport.asked_all()
        await end.until("it has gathered", lambda end: end.is_gathered)
        [(_, code, reason)] = end.failures
        assert (code, reason) == (701, "the server's stream is neither STUN nor ChannelData")
        server.close()


@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_a_server_that_dies_takes_the_path_with_it(serve: Serve, kind: str, ends: Ends) -> None:
    server = serve(*ANN, "--no-limits")
    one, other = ends()
    for end in (one, other):
        end.ask(server, kind)
    await connect(one, other)
    await asyncio.to_thread(server.kill)
    for end in (one, other):
        await end.until("it notices", lambda end: end.states[-1] in ("disconnected", "failed"))


async def test_a_relay_is_given_back_when_its_path_is_closed(
    serve: Serve, kind: str, alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(*ANN, "--no-limits", "--relay-ports", "11100-11100")
    trust(monkeypatch, server.certificate)
    for _ in range(3):
        end, late = await relay_of_the_last(alone, server, kind), alone()
        late.ask(server, kind)
        await late.until("it has gathered", lambda end: end.is_gathered)
        assert late.failures == [(f"turn:{kind}", 508, "Insufficient Capacity")]
        end.transport.close()


async def test_a_restart_uses_the_relays_that_there_are(serve: Serve, ends: Ends) -> None:
    server = serve(*ANN, "--no-limits", "--relay-ports", "11110-11111")
    one, other = ends()
    for end in (one, other):
        end.ask(server, "udp")
    await connect(one, other)
    for end in (one, other):
        end.credentials, end.is_gathered = ice_credentials(), False
        end.transport.restart(*end.credentials)
    for end, peer in ((one, other), (other, one)):
        end.transport.set_remote_credentials(*peer.credentials)
    for end in (one, other):
        end.ask(server, "udp")
    for end in (one, other):
        await end.until("it has gathered again", lambda end: end.is_gathered)
        assert end.failures == []
        assert len(end.candidates) == 2
    await talk(one, other)


async def test_a_restart_without_the_server_gives_its_relay_back(serve: Serve, ends: Ends, alone: Alone) -> None:
    server = serve(*ANN, "--no-limits", "--relay-ports", "11120-11121")
    one, other = ends(is_relay_only=False)
    for end in (one, other):
        end.ask(server, "udp")
    await connect(one, other)
    for end in (one, other):
        end.credentials = ice_credentials()
        end.transport.restart(*end.credentials)
    for end, peer in ((one, other), (other, one)):
        end.transport.set_remote_credentials(*peer.credentials)
    for end in (one, other):
        end.transport.gather([HERE])
        end.transport.asked_all()
    await talk(one, other)
    for _ in range(2):
        await relay_of_the_last(alone, server)


async def test_credentials_with_an_end_are_credentials(shared: Server, alone: Alone) -> None:
    good = make_credentials(SECRET.encode(), "guest", now_s=time.time(), ttl_s=60)
    late = make_credentials(SECRET.encode(), "guest", now_s=time.time() - 120, ttl_s=60)
    for credentials, is_good in ((good, True), (late, False)):
        end = alone()
        end.ask(shared, "udp", credentials.username, credentials.password)
        await end.until("it has gathered", lambda end: end.is_gathered)
        assert bool(end.candidates) == is_good
        assert [code for _, code, _ in end.failures] == ([] if is_good else [401])
