"""Relays of coturn, and whole peer connections that meet through relays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from doctor import coturn as coturns
from doctor.coturn import Coturn, coturn
from peerline import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCPeerConnectionIceErrorEvent
from peerline.engine.shared import shared_engine
from turn.conftest import Server
from turn.relayed import PATIENCE_S, Alone, Ends, connect, talk, trust, words_after


@pytest.fixture(scope="module")
def coturn_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), "--allow-loopback-peers") as server:
        yield server


async def test_coturn_relays_for_us(
    coturn_here: Coturn, kind: str, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, coturn_here.authority)
    one, other = ends()
    for end in (one, other):
        end.ask(coturn_here, kind, coturns.USER, coturns.PASSWORD)
    await connect(one, other)
    await talk(one, other)
    for end in (one, other):
        assert [words_after(line, "typ") for line in end.pairs[-1]] == ["relay", "relay"]


async def test_coturn_says_what_is_wrong(coturn_here: Coturn, alone: Alone) -> None:
    end = alone()
    end.ask(coturn_here, "udp", coturns.USER, "guess")
    await end.until("it has gathered", lambda end: end.is_gathered)
    [(_, code, reason)] = end.failures
    assert code == 401
    assert reason == "Unauthorized"


async def test_peer_connections_meet_through_a_relay(
    shared: Server, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, shared.certificate)
    host, port = shared.address(kind)
    url = {"udp": f"turn:{host}:{port}", "tcp": f"turn:{host}:{port}?transport=tcp", "tls": f"turns:{host}:{port}"}[
        kind
    ]
    servers = [RTCIceServer(urls=url, username="ann", credential="pass")]
    one, other = (RTCPeerConnection(RTCConfiguration(iceServers=servers, iceTransportPolicy="relay")) for _ in range(2))
    got: asyncio.Queue[str] = asyncio.Queue()
    try:
        one.onicecandidate = lambda event: other.addIceCandidate(event.candidate)
        other.onicecandidate = lambda event: one.addIceCandidate(event.candidate)
        channel = one.createDataChannel("chat")
        channel.onopen = lambda event: channel.send("through the relay")
        other.ondatachannel = lambda event: event.channel.addEventListener(
            "message", lambda event: got.put_nowait(event.data)
        )
        await one.setLocalDescription()
        await other.setRemoteDescription(one.localDescription)
        await other.setLocalDescription()
        await one.setRemoteDescription(other.localDescription)
        async with asyncio.timeout(PATIENCE_S):
            assert await got.get() == "through the relay"
        assert one.localDescription is not None
        candidates = [line for line in one.localDescription.sdp.splitlines() if line.startswith("a=candidate:")]
        assert candidates
        assert all(" typ relay " in line for line in candidates)
    finally:
        one.close()
        other.close()
        shared_engine().close()


async def test_a_peer_connection_is_told_of_a_wrong_password(shared: Server) -> None:
    host, port = shared.address("udp")
    pc = RTCPeerConnection(
        RTCConfiguration(iceServers=[RTCIceServer(urls=f"turn:{host}:{port}", username="ann", credential="guess")])
    )
    errors: asyncio.Queue[RTCPeerConnectionIceErrorEvent] = asyncio.Queue()
    pc.onicecandidateerror = errors.put_nowait
    try:
        pc.createDataChannel("chat")
        await pc.setLocalDescription()
        async with asyncio.timeout(PATIENCE_S):
            error = await errors.get()
        assert (error.errorCode, error.errorText, error.url) == (401, "Unauthenticated", f"turn:{host}:{port}")
    finally:
        pc.close()
        shared_engine().close()
