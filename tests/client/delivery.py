"""Exactly once and in order over the death of sockets (docs/protocol.md, section 5). No socket in here."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]

# These carry no sequence number; everything else does.
UNNUMBERED = frozenset({"hello", "welcome", "ping", "pong", "ack", "bye"})


class GapError(Exception):
    """A message is missing. `rx`, when the other side tells it, is the last one that it has."""

    def __init__(self, rx: int | None = None) -> None:
        super().__init__(f"a gap in the sequence, the last one received is {rx}")
        self.rx = rx


class Delivery:
    """Both directions of one session: what we sent and is not acknowledged, and how far we have received."""

    def __init__(self) -> None:
        self.sent = 0
        self.received = 0
        self.acknowledged = 0  # the last `a` that we put on a message of ours
        self._outbox: dict[int, Message] = {}

    def number(self, message: Message) -> Message:
        """Give an outgoing message its `s` and keep it until it is acknowledged."""
        if message["t"] in UNNUMBERED:
            return message
        self.sent += 1
        message["s"] = self.sent
        self._outbox[self.sent] = message
        return message

    def stamp(self, message: Message) -> Message:
        """The message as it goes out now, with our acknowledgement riding on it."""
        if message["t"] in ("hello", "bye"):
            return message
        self.acknowledged = self.received
        return message | {"a": self.received}

    def accept(self, message: Message) -> bool:
        """Take an incoming message in: True if it is to be processed, False if we had it before."""
        self.drop_through(message.get("a", 0))
        s = message.get("s")
        if s is None:
            return True
        if s > self.received + 1:
            raise GapError
        if s <= self.received:
            return False
        self.received = s
        return True

    def drop_through(self, s: int) -> None:
        """The other side has everything up to `s`."""
        for known in [number for number in self._outbox if number <= s]:
            del self._outbox[known]

    def unacknowledged(self) -> list[Message]:
        """What a resume has to send again, in order."""
        return list(self._outbox.values())

    @property
    def owes(self) -> int:
        """How many received messages our side has not acknowledged yet."""
        return self.received - self.acknowledged
