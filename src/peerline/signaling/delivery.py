"""Exactly once and in order over sockets that die (docs/protocol.md, section 5). No socket, no timer, no clock."""

from __future__ import annotations

from collections import deque

MAX_UNACKED_MESSAGES = 1024
MAX_UNACKED_BYTES = 1 << 20
# A stand-alone acknowledgement is due after this many messages (or after a second, which is the owner's affair).
ACK_EVERY = 32


class GapError(Exception):
    """A message arrived before its predecessor: the socket lost something and must be replaced."""


class OverflowedError(Exception):
    """The other side acknowledged nothing for too long."""


class Delivery:
    """Both directions of one session: numbers what is sent, keeps it until acknowledged, drops what came twice."""

    __slots__ = ("_kept", "_kept_bytes", "acked", "received", "sent", "told")

    def __init__(self) -> None:
        self.received = 0  # highest contiguous number received
        self.told = 0  # the highest `a` we sent
        self.sent = 0  # the last number given out
        self.acked = 0  # the highest number the other side has
        # Most sessions are idle most of the time: no deque until one is needed.
        self._kept: deque[bytes] | None = None
        self._kept_bytes = 0

    def number(self, tail: bytes) -> bytes:
        """Make the next frame out of `tail`, the envelope's text after its numbers, and keep it.

        Raises OverflowedError when too much is unacknowledged.
        """
        self.sent = s = self.sent + 1
        self.told = a = self.received
        frame = b'{"s":%d,"a":%d,%b' % (s, a, tail)
        kept = self._kept
        if kept is None:
            kept = self._kept = deque()
        kept.append(frame)
        self._kept_bytes += len(frame)
        if len(kept) > MAX_UNACKED_MESSAGES or self._kept_bytes > MAX_UNACKED_BYTES:
            raise OverflowedError
        return frame

    def acknowledge(self, a: int) -> None:
        """The other side has everything up to `a`. A number never sent is ignored."""
        count = a - self.acked
        if count <= 0 or a > self.sent:
            return
        self.acked = a
        kept = self._kept
        assert kept is not None
        if len(kept) == count:
            # Everything: the usual case on a quiet session; gives the memory back.
            self._kept = None
            self._kept_bytes = 0
            return
        size = 0
        for _ in range(count):
            size += len(kept.popleft())
        self._kept_bytes -= size

    def is_new(self, s: int) -> bool:
        """Take note of number `s`: True if it is the next one, False if it was here before.

        Raises GapError if one before it is missing.
        """
        expected = self.received + 1
        if s == expected:
            self.received = s
            return True
        if s > expected:
            raise GapError
        return False

    def take_ack(self) -> bytes:
        """A stand-alone acknowledgement."""
        self.told = self.received
        return b'{"t":"ack","a":%d}' % self.received

    @property
    def is_ack_due(self) -> bool:
        """Whether the other side should be told at once."""
        return self.received - self.told >= ACK_EVERY

    def unacknowledged(self) -> list[bytes]:
        """What to send again after a resume, in order."""
        return list(self._kept) if self._kept else []

    @property
    def kept_bytes(self) -> int:
        """Bytes kept for sending again."""
        return self._kept_bytes
