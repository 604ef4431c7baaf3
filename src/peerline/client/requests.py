"""Requests that wait for their answer (docs/protocol.md, section 3: `id` and `re`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from peerline.client.envelope import Envelope
from peerline.client.errors import refusal
from peerline.errors import PeerlineError
from peerline.signaling.session import tail

__all__ = ["Answer", "Requests"]

# Told of the body of `ok`, or of the error: in order with the messages that come before and after it.
Answer = Callable[[Raw | PeerlineError], object]

# Said anew by whoever hears of a new session: the old question is not asked again.
_SAID_ANEW = ("watch", "sync")


@dataclass(frozen=True, slots=True)
class _Waiting:
    t: str
    tail: bytes
    answer: Answer


class Requests:
    """Of one session after the other, for requests outlive them."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._count = 0

    def ask(self, t: str, d: Any, call: str | None, answer: Answer) -> bytes:
        """The message, as `Delivery.number` takes it."""
        self._count += 1
        key = f"q{self._count}"
        message = tail(t, d, call=call, head=b',"id":"%b"' % key.encode())
        self._waiting[key] = _Waiting(t, message, answer)
        return message

    def answer(self, envelope: Envelope) -> None:
        """An `ok` or `err` with `re`; an answer to nothing is ignored."""
        waiting = self._waiting.pop(envelope.re or "", None)
        if waiting is not None:
            waiting.answer(envelope.d if envelope.t == "ok" else refusal(envelope.d))

    def unanswered(self) -> list[bytes]:
        """What to ask again in a new session, in order; requests are safe to repeat."""
        for key, waiting in list(self._waiting.items()):
            if waiting.t in _SAID_ANEW:
                del self._waiting[key]
        return [waiting.tail for waiting in self._waiting.values()]

    def fail(self, error: PeerlineError) -> None:
        """Nothing will be answered any more."""
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.answer(error)
