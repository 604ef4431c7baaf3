"""Who waits for which name, and for how long what was heard is remembered (RFC 6762, section 5.1)."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import weakref
from collections.abc import Callable
from typing import Protocol

from peerline.mdns.message import AAAA, A, AddressRecord, MessageError, read_answer, write_question
from peerline.mdns.name import canonical, labels_of
from peerline.mdns.sockets import MulticastLink, OnDatagram

__all__ = ["Link", "Resolver", "resolve"]

# When a question is asked again: multicast is not repeated by the link as other packets are.
_ASK_AGAIN_S = (1.0, 3.0, 7.0)
# A peer may name as many candidates as it likes.
_MAX_QUESTIONS = 64
_MAX_ADDRESSES = 8
_MAX_REMEMBERED = 256
_REMEMBERED_S = 60.0


class Link(Protocol):
    """Where questions go. What comes back is given to the function it was opened with."""

    def ask(self, message: bytes) -> None:
        """Never blocks, never raises."""

    def close(self) -> None: ...


async def resolve(name: str, timeout_s: float = 2.0) -> list[str]:
    """The IPv4 and IPv6 addresses that the link knows for `name`, which ends in `.local`; as soon as there is one.

    An empty list if nobody has answered in time. What was heard less than a minute ago is not asked for again. Raises
    ValueError if `name` is no such name.
    """
    loop = asyncio.get_running_loop()
    resolver = _resolvers.get(loop)
    if resolver is None:
        resolver = _resolvers[loop] = Resolver()
    return await resolver.resolve(name, timeout_s)


class Resolver:
    """The names that one loop waits for. Its sockets are open while there are any.

    It does not hold the loop, by which it is kept.
    """

    def __init__(self, open_link: Callable[[asyncio.AbstractEventLoop, OnDatagram], Link] = MulticastLink) -> None:
        self._open_link = open_link
        self._link: Link | None = None
        self._questions: dict[bytes, _Question] = {}
        self._memory = _Memory()

    async def resolve(self, name: str, timeout_s: float) -> list[str]:
        """As the function of this name."""
        labels = labels_of(name)
        key = canonical(labels)
        loop = asyncio.get_running_loop()
        if known := self._memory.addresses(key, loop.time()):
            return known
        question = self._questions.get(key)
        if question is None:
            if len(self._questions) >= _MAX_QUESTIONS:
                return []
            question = self._questions[key] = _Question(labels)
            self._ask(loop, question)
        question.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await question.answered.wait()
        except TimeoutError:
            pass
        finally:
            question.waiting -= 1
            if not question.waiting:
                self._forget(key)
        return list(question.addresses)

    def _ask(self, loop: asyncio.AbstractEventLoop, question: _Question) -> None:
        if self._link is None:
            self._link = self._open_link(loop, self._on_datagram)
        question.ask(loop, self._link)

    def _forget(self, key: bytes) -> None:
        self._questions.pop(key).stop()
        if not self._questions and self._link is not None:
            self._link.close()
            self._link = None

    def _on_datagram(self, message: bytes, is_own: bool) -> None:
        """What comes to us alone has to be an answer to our question; what comes to all may be to anybody's."""
        try:
            answer = read_answer(message)
        except MessageError:
            return
        for record in answer.records:
            question = self._questions.get(record.name)
            if question is not None and (not is_own or answer.id == question.id):
                self._hear(question, record)

    def _hear(self, question: _Question, record: AddressRecord) -> None:
        address = ipaddress.ip_address(record.address)
        # Without its interface an address of the link means nothing.
        if record.ttl_s == 0 or address.is_unspecified or address.is_multicast or address.is_link_local:
            return
        question.hear(record.address)
        self._memory.remember(record, asyncio.get_running_loop().time())


class _Question:
    """A name that somebody waits for."""

    def __init__(self, labels: tuple[bytes, ...]) -> None:
        self.id = random.randrange(1, 1 << 16)
        self.answered = asyncio.Event()
        self.addresses: dict[str, None] = {}
        self.waiting = 0
        self._messages = [write_question(self.id, labels, kind) for kind in (A, AAAA)]
        self._timers: list[asyncio.TimerHandle] = []

    def ask(self, loop: asyncio.AbstractEventLoop, link: Link) -> None:
        self._send(link)
        self._timers = [loop.call_later(delay_s, self._send, link) for delay_s in _ASK_AGAIN_S]

    def hear(self, address: str) -> None:
        if len(self.addresses) < _MAX_ADDRESSES:
            self.addresses[address] = None
        self.answered.set()

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def _send(self, link: Link) -> None:
        for message in self._messages:
            link.ask(message)


class _Memory:
    """What was heard lately, of names that were asked for."""

    def __init__(self) -> None:
        self._heard: dict[bytes, dict[str, float]] = {}

    def addresses(self, name: bytes, now: float) -> list[str]:
        return [address for address, until in self._heard.get(name, {}).items() if now < until]

    def remember(self, record: AddressRecord, now: float) -> None:
        known = self._heard.pop(record.name, {})
        known = {address: until for address, until in known.items() if now < until}
        if len(known) < _MAX_ADDRESSES or record.address in known:
            known[record.address] = now + min(record.ttl_s, _REMEMBERED_S)
        # The one that was heard last stands last.
        self._heard[record.name] = known
        while len(self._heard) > _MAX_REMEMBERED:
            del self._heard[next(iter(self._heard))]


_resolvers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Resolver] = weakref.WeakKeyDictionary()
