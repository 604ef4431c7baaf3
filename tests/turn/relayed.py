"""Ends of data paths that go through relays: what they hear, and how two of them meet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doctor.coturn import Coturn
from peerline.engine.shared import shared_engine
from peerline.engine.transport import (
    Certificate,
    ChannelSettings,
    Transport,
    TransportSettings,
    ice_credentials,
)

if TYPE_CHECKING:
    from turn.conftest import Server

PATIENCE_S = 30.0
HERE = "127.0.0.1"


class End:
    """One side: what it hears, and what it was told about a server."""

    def __init__(self, *, is_controlling: bool, is_relay_only: bool = True) -> None:
        self.credentials = ice_credentials()
        self.certificate = Certificate.generate(int(time.time() * 1000) + 86_400_000)
        self.candidates: list[str] = []
        self.urls: list[str | None] = []
        self.failures: list[tuple[str, int, str]] = []
        self.states: list[str] = []
        self.pairs: list[tuple[str, str]] = []
        self.received: list[str | bytes] = []
        self.channel: int | None = None
        self.other: End | None = None
        self.is_gathered = self.is_open = False
        self._heard = asyncio.Event()
        settings = TransportSettings(
            self.certificate, *self.credentials, is_controlling=is_controlling, is_relay_only=is_relay_only
        )
        self.transport = Transport(shared_engine(), settings, self)

    # As TransportListener has it.

    def candidate_found(self, ufrag: str, line: str, url: str | None) -> None:
        self._heard.set()
        self.candidates.append(line)
        self.urls.append(url)
        if self.other is not None:
            self.other.transport.add_remote_candidate(line)

    def candidate_failed(self, address: str, port: int, url: str, code: int, reason: str) -> None:
        self._heard.set()
        self.failures.append((url, code, reason))

    def gathering_finished(self, ufrag: str) -> None:
        self._heard.set()
        self.is_gathered = True

    def ice_state_changed(self, state: str) -> None:
        self._heard.set()
        self.states.append(state)

    def pair_selected(self, local: str, remote: str) -> None:
        self._heard.set()
        self.pairs.append((local, remote))

    def channel_announced(self, channel: int, settings: ChannelSettings) -> None:
        self._heard.set()
        self.channel = channel

    def channel_opened(self, channel: int, stream: int) -> None:
        self._heard.set()
        self.is_open = True

    def messages_received(self, channel: int, messages: list[str | bytes]) -> None:
        self._heard.set()
        self.received += messages

    def __getattr__(self, name: str) -> Callable[..., None]:
        """The rest of what a listener hears is of no interest here."""
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *details: self._heard.set()

    # What tests do with it.

    def ask(self, server: Server | Coturn, kind: str, name: str = "ann", password: str = "pass") -> None:
        """Name a server, and no other."""
        host, port = _address(server, kind)
        self.transport.gather([HERE])
        self.transport.ask_turn(kind, host, port, HERE, name, password, f"turn:{kind}")
        self.transport.asked_all()

    async def until(self, what: str, is_done: Callable[[End], bool]) -> None:
        """Looks again whenever something was heard."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_done(self):
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise AssertionError(f"never: {what}; {self.states} {self.failures} {self.candidates}") from None

    def send(self, message: str | bytes) -> None:
        assert self.channel is not None
        if isinstance(message, str):
            self.transport.send_text(self.channel, message)
        else:
            self.transport.send_bytes(self.channel, message)


def _address(server: Server | Coturn, kind: str) -> tuple[str, int]:
    if isinstance(server, Coturn):
        return HERE, server.tls_port if kind == "tls" else server.port
    return server.address(kind)


Ends = Callable[..., tuple[End, End]]
"""Two that know each other: `ends(is_relay_only=False)`."""
Alone = Callable[[], End]
"""One that relays alone may serve."""


def acquaint(one: End, other: End) -> None:
    """They know each other's names and certificates, and trickle."""
    one.other, other.other = other, one
    for end, peer, is_client in ((one, other, False), (other, one, True)):
        end.transport.set_remote_credentials(*peer.credentials)
        end.transport.start_dtls(is_client, [f"sha-256 {peer.certificate.fingerprint()}"])
        end.transport.start_sctp(5000, 5000, 262_144)


def trust(monkeypatch: pytest.MonkeyPatch, authority: Path) -> None:
    """As a person does whose company has an authority of its own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


async def connect(one: End, other: End) -> None:
    one.channel = one.transport.open_channel(ChannelSettings("through the relay"))
    for end in (one, other):
        await end.until("the channel is open", lambda end: end.is_open)


async def relay_of_the_last(alone: Alone, server: Server, kind: str = "udp") -> End:
    """Asks again and again: a relay is given back a moment after its owner lets it go."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            end = alone()
            end.ask(server, kind)
            await end.until("it has gathered", lambda end: end.is_gathered)
            if end.candidates:
                return end
            assert end.failures == [(f"turn:{kind}", 508, "Insufficient Capacity")]


async def talk(one: End, other: End) -> None:
    """Messages small and large, both ways, arrive whole and in order."""
    messages: list[str | bytes] = [f"message {n}" for n in range(300)]
    messages += [bytes([n]) * 20_000 for n in range(20)] + ["the last"]
    for end in (one, other):
        for message in messages:
            end.send(message)
    for end in (one, other):
        await end.until("all has come", lambda end: end.received[-1:] == ["the last"])
        assert end.received == messages


def address(line: str) -> tuple[str, str]:
    """Where a candidate is, whatever its type."""
    _, _, _, _, host, port, *_ = line.split(" ")
    return host, port


def words_after(line: str, name: str) -> str:
    words = line.split(" ")
    return words[words.index(name) + 1]
