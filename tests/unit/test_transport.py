"""Data paths of peer connections (peerline.engine.transport), two of them in one process over loopback."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from peerline.engine import Engine
from peerline.engine.transport import (
    Certificate,
    ChannelSettings,
    Transport,
    TransportSettings,
    ice_credentials,
)

PATIENCE_S = 15


class Side:
    """A listener that keeps what it hears."""

    def __init__(self, engine: Engine, *, is_controlling: bool, **more: Any) -> None:
        self.certificate = Certificate.generate(int(time.time() * 1000) + 3_600_000)
        self.credentials = ice_credentials()
        self.heard: list[tuple[Any, ...]] = []
        self.happened = asyncio.Event()
        settings = TransportSettings(self.certificate, *self.credentials, is_controlling, **more)
        self.transport = Transport(engine, settings, self)

    def __getattr__(self, name: str) -> Any:
        def hear(*details: Any) -> None:
            self.heard.append((name, *details))
            self.happened.set()

        return hear

    def of(self, name: str) -> list[list[Any]]:
        return [details for kind, *details in self.heard if kind == name]

    async def until(self, name: str, *wanted: Any) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.happened.clear()
                for details in self.of(name):
                    if details[: len(wanted)] == list(wanted):
                        return details
                await self.happened.wait()


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    with Engine(shards=1) as engine:
        engine.attach(asyncio.get_running_loop())
        yield engine


async def connect(near: Side, far: Side, *, fingerprint: str | None = None) -> None:
    """Everything that descriptions would tell."""
    for one, other, is_client in ((near, far, False), (far, near, True)):
        one.transport.gather(["127.0.0.1"])
        one.transport.asked_all()
        one.transport.set_remote_credentials(*other.credentials)
        told = fingerprint if fingerprint and one is near else other.certificate.fingerprint()
        one.transport.start_dtls(is_client, [f"sha-256 {told}"])
        one.transport.start_sctp(5000, 5000, 262_144)
    for one, other in ((near, far), (far, near)):
        _, line, _ = await one.until("candidate_found")
        other.transport.add_remote_candidate(line)


async def test_messages_of_both_kinds_go_both_ways(engine: Engine) -> None:
    near, far = Side(engine, is_controlling=True), Side(engine, is_controlling=False)
    await connect(near, far)
    channel = near.transport.open_channel(ChannelSettings("chat", "p", ordered=False, max_retransmits=3))
    _, stream = await near.until("channel_opened", channel)
    announced, settings = await far.until("channel_announced")
    assert settings == ChannelSettings("chat", "p", ordered=False, max_retransmits=3)
    assert await far.until("channel_opened") == [announced, stream]
    near.transport.send_text(channel, "你好")
    near.transport.send_bytes(channel, b"\0\xff")
    await near.until("bytes_sent", channel)
    while sum(len(messages) for _, messages in far.of("messages_received")) < 2:
        far.happened.clear()
        await asyncio.wait_for(far.happened.wait(), PATIENCE_S)
    assert [m for _, messages in far.of("messages_received") for m in messages] == ["你好", b"\0\xff"]
    assert sum(amount for _, amount in near.of("bytes_sent")) == len("你好".encode()) + 2
    near.transport.close_channel(channel)
    assert await near.until("channel_closed", channel) == [channel, None]
    assert (await near.transport.stats())["packets_sent"] > 0
    near.transport.close()
    near.transport.close()
    far.transport.close()


async def test_a_peer_with_another_certificate_is_nobody_and_no_byte_of_it_is_shown(engine: Engine) -> None:
    near, far = Side(engine, is_controlling=True), Side(engine, is_controlling=False)
    stranger = Certificate.generate(int(time.time() * 1000) + 3_600_000)
    await connect(near, far, fingerprint=stranger.fingerprint())
    far.transport.open_channel(ChannelSettings("x"))
    assert await near.until("dtls_failed") == ["wrong-fingerprint"]
    assert not near.of("dtls_connected")
    assert not near.of("channel_announced")
    assert not near.of("messages_received")


async def test_garbage_on_the_socket_changes_nothing(engine: Engine) -> None:
    near, far = Side(engine, is_controlling=True), Side(engine, is_controlling=False)
    near.transport.gather(["127.0.0.1"])
    _, line, _ = await near.until("candidate_found")
    port = int(line.split(" ")[5])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for garbage in (b"", b"\0", b"\x16\xfe\xfd" + bytes(40), bytes(range(256)), b"\x80" * 1200, bytes(20)):
            stranger.sendto(garbage, ("127.0.0.1", port))
    await connect(near, far)
    channel = near.transport.open_channel(ChannelSettings("x"))
    await near.until("channel_opened", channel)


async def test_a_port_range_is_kept_to_and_an_advertised_address_is_shown(engine: Engine) -> None:
    side = Side(engine, is_controlling=True, ports=(42_000, 42_100), advertised="203.0.113.7")
    side.transport.gather(["127.0.0.1"])
    _, line, _ = await side.until("candidate_found")
    words = line.split(" ")
    assert words[4] == "203.0.113.7"
    assert 42_000 <= int(words[5]) <= 42_100


async def test_a_server_that_never_answers_delays_no_host_candidate(engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        side = Side(engine, is_controlling=True)
        side.transport.gather(["127.0.0.1"])
        side.transport.ask_stun("127.0.0.1", silent.getsockname()[1], "stun:silent")
        side.transport.asked_all()
        await side.until("candidate_found")
        assert not side.of("gathering_finished")


async def test_a_stun_server_of_ours_tells_a_reflexive_candidate_or_that_it_is_the_same(engine: Engine) -> None:
    listener = engine.stun_listen("127.0.0.1", 0)
    side = Side(engine, is_controlling=True)
    side.transport.gather(["127.0.0.1"])
    side.transport.ask_stun("127.0.0.1", listener.port, "stun:ours")
    side.transport.asked_all()
    await side.until("gathering_finished", side.credentials[0])
    assert not side.of("candidate_failed")


@pytest.mark.parametrize("fingerprints", [[], ["md5 00"], ["sha-256 nonsense"]])
async def test_without_a_fingerprint_that_can_be_used_there_is_no_handshake(
    engine: Engine, fingerprints: list[str]
) -> None:
    side = Side(engine, is_controlling=True)
    with pytest.raises(ValueError, match="fingerprint"):
        side.transport.start_dtls(True, fingerprints)


async def test_a_path_on_a_closed_engine_takes_nothing(engine: Engine) -> None:
    side = Side(engine, is_controlling=True)
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        side.transport.gather(["127.0.0.1"])
    side.transport.close()
    assert await side.transport.stats() == {}


def test_a_certificate_comes_back_from_its_text() -> None:
    made = Certificate.generate(4_000_000_000_000, "P-384")
    again = Certificate.from_pem(*made.to_pem())
    assert again.der == made.der
    assert again.fingerprint("sha-512") == made.fingerprint("sha-512")
    with pytest.raises(ValueError, match="PEM"):
        Certificate.from_pem("no", "text")
    with pytest.raises(ValueError, match="curve"):
        Certificate.generate(0, "P-521")
