"""Questions and answers over a link: sent again until answered, matched by transaction id (RFC 8489 §6, §7)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from peerline.doctor.stun.address import Address, require
from peerline.doctor.stun.errors import LinkLostError, MalformedError, RefusedByServerError, SilentError
from peerline.doctor.stun.link import Link
from peerline.doctor.stun.message import (
    TRANSACTION_BYTES,
    Attribute,
    Attributes,
    Kind,
    Message,
    Method,
    read,
    write,
)

# RFC 8489 §6.2.1 waits for 39.5 s in all. Somebody is watching us, so: sent at 0, 0.3, 0.9 and 2.1 s, and over at 3 s.
FIRST_WAIT_S = 0.3
ANSWER_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A success response, where it came from, and how long it took."""

    message: Message
    source: Address
    rtt_s: float
    """Since the question was last sent."""


@dataclass(slots=True)
class _Question:
    method: int
    key: bytes | None
    answer: asyncio.Future[tuple[Message, Address]]


class StunClient:
    """Asks over one link. `on_indication` and `on_channel_data` get what comes without being asked for."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.on_indication: Callable[[Message], None] = lambda message: None
        self.on_channel_data: Callable[[bytes], None] | None = None
        self.useless: list[str] = []
        """Why what came could not be used, newest last."""
        self._questions: dict[bytes, _Question] = {}
        self._lost: LinkLostError | None = None
        link.on_packet = self._on_packet
        link.on_lost = self._on_lost

    async def ask(
        self,
        method: Method,
        attributes: Attributes = (),
        *,
        key: bytes | None = None,
        transaction: bytes | None = None,
        to: Address | None = None,
        within_s: float = ANSWER_WITHIN_S,
    ) -> Answer:
        """The success response. With a key, what is not signed with it counts as silence.

        Raises RefusedByServerError, SilentError, LinkLostError.
        """
        transaction = transaction or new_transaction()
        data = write(method, Kind.REQUEST, transaction, attributes, key)
        question = _Question(method, key, asyncio.get_running_loop().create_future())
        if self._lost is not None and self.link.is_reliable:
            raise self._lost
        self._questions[transaction] = question
        deadline = time.monotonic() + within_s
        wait_s = within_s if self.link.is_reliable else FIRST_WAIT_S
        try:
            while True:
                sent = time.monotonic()
                self.link.send(data, to)
                left_s = deadline - sent
                try:
                    message, source = await asyncio.wait_for(asyncio.shield(question.answer), min(wait_s, left_s))
                except TimeoutError:
                    if time.monotonic() + 0.001 >= deadline:
                        raise self._silence(within_s) from None
                    wait_s *= 2
                    continue
                if message.kind is Kind.ERROR:
                    raise _refusal(message)
                return Answer(message, source, time.monotonic() - sent)
        finally:
            del self._questions[transaction]
            question.answer.cancel()

    async def mapped_address(self, to: Address | None = None, attributes: Attributes = ()) -> tuple[Address, Answer]:
        """A Binding: the address that the server sees us from. Raises as `ask`, and MalformedError."""
        answer = await self.ask(Method.BINDING, attributes, to=to)
        return require(answer.message, Attribute.XOR_MAPPED_ADDRESS), answer

    def close(self) -> None:
        """Close the link."""
        self.link.on_lost = lambda error: None
        self.link.close()

    def _on_packet(self, data: bytes, source: Address) -> None:
        if data and data[0] >> 6 == 1 and self.on_channel_data is not None:
            self.on_channel_data(data)
            return
        try:
            message = read(data)
        except MalformedError as error:
            self.useless.append(error.message)
            return
        if message.kind is Kind.INDICATION:
            self.on_indication(message)
            return
        question = self._questions.get(message.transaction)
        if question is None or message.kind is Kind.REQUEST or message.method != question.method:
            self.useless.append("an answer to a question that was not asked (wrong transaction id)")
        elif question.key is not None and not _may_be_unsigned(message) and not message.is_signed_with(question.key):
            self.useless.append("an answer whose MESSAGE-INTEGRITY is wrong or missing")
        elif not question.answer.done():
            question.answer.set_result((message, source))

    def _on_lost(self, error: LinkLostError) -> None:
        self._lost = error
        for question in self._questions.values():
            if not question.answer.done():
                question.answer.set_exception(error)

    def _silence(self, within_s: float) -> SilentError:
        if self.useless:
            return SilentError(
                f"no answer within {within_s:g} s that can be used: {self.useless[-1]}", code="stun_useless"
            )
        return SilentError(f"no answer within {within_s:g} s")


def new_transaction() -> bytes:
    """Random, so that nobody who did not see the question can answer it."""
    return os.urandom(TRANSACTION_BYTES)


def _may_be_unsigned(message: Message) -> bool:
    """Errors whose writer does not know our key, or did not care to sign, as coturn with 437.

    A client that carries calls must not believe the latter (RFC 8489 §9.2.5); a doctor must not keep them to itself.
    """
    return message.kind is Kind.ERROR and message.integrity_at is None


def _number(message: Message) -> int:
    value = message.get(Attribute.ERROR_CODE) or b""
    return (value[2] & 7) * 100 + value[3] if len(value) >= 4 else 0


def _refusal(message: Message) -> RefusedByServerError | MalformedError:
    number = _number(message)
    if not 300 <= number <= 699:
        return MalformedError("an error response without an error code")
    reason = (message.get(Attribute.ERROR_CODE) or b"")[4:].decode(errors="replace")
    return RefusedByServerError(
        number,
        reason[:100] if reason.isprintable() else "",
        realm=message.get(Attribute.REALM),
        nonce=message.get(Attribute.NONCE),
    )
