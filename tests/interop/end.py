"""One end of a connection, whoever made it: what the tests of this folder ask of it."""

from __future__ import annotations

import asyncio
import hashlib
from abc import ABC, abstractmethod
from typing import Any

Description = dict[str, str]
Candidate = dict[str, Any]
PATIENCE_S = 30.0


class End(ABC):
    """Channels are known by their labels; text is str, everything else bytes."""

    @abstractmethod
    async def create_channel(self, label: str, **options: Any) -> None:
        """Open a data channel; options as in JavaScript."""

    @abstractmethod
    async def offer(self, *, restart: bool = False) -> Description:
        """Make an offer and set it."""

    @abstractmethod
    async def answer(self, offer: Description) -> Description:
        """Set an offer, make an answer and set it."""

    @abstractmethod
    async def accept(self, answer: Description) -> None:
        """Set the other side's answer."""

    @abstractmethod
    async def next_candidate(self) -> Candidate | None:
        """A candidate for the other side; None after the last one."""

    @abstractmethod
    async def add_candidate(self, candidate: Candidate) -> None:
        """A candidate of the other side's."""

    @abstractmethod
    async def opened(self, label: str) -> dict[str, Any]:
        """Once the channel is open: its ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated, id."""

    @abstractmethod
    async def send(self, label: str, data: str | bytes) -> None:
        """Queue a message."""

    @abstractmethod
    async def send_zeros(self, label: str, count: int, size: int) -> None:
        """So many messages of so many bytes, none faster than the channel takes them; the first byte counts them."""

    @abstractmethod
    async def received(self, label: str) -> str | bytes:
        """The next message, without those that `digest` has taken."""

    @abstractmethod
    async def digest(self, label: str, size: int) -> str:
        """SHA-256 over the next messages, until so many bytes have come."""

    @abstractmethod
    async def state(self, *wanted: str) -> str:
        """connectionState, once it is one of these."""

    @abstractmethod
    async def close_channel(self, label: str) -> None:
        """Close it from this side."""

    @abstractmethod
    async def closed(self, label: str) -> None:
        """Returns once the channel is closed."""

    @abstractmethod
    async def close(self) -> None:
        """End the connection."""


def digest_of_zeros(count: int, size: int) -> str:
    """What `digest` gives after `send_zeros`."""
    sha = hashlib.sha256()
    for number in range(count):
        sha.update(bytes([number % 256]) + bytes(size - 1))
    return sha.hexdigest()


async def trickle(source: End, target: End) -> None:
    """Hand over candidates as they come, the end of them included."""
    while (candidate := await source.next_candidate()) is not None:
        await target.add_candidate(candidate)


async def connect(offerer: End, answerer: End, *, restart: bool = False) -> None:
    """Negotiate with candidates trickling both ways, as pages do."""
    offer = await offerer.offer(restart=restart)
    answer = await answerer.answer(offer)
    await offerer.accept(answer)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(trickle(offerer, answerer), trickle(answerer, offerer))
        await asyncio.gather(offerer.state("connected"), answerer.state("connected"))
