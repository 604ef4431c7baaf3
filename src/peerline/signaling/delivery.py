"""Exactly once and in order over sockets that die (docs/protocol.md, section 5). No socket, no timer, no clock."""

from __future__ import annotations

MAX_UNACKED_MESSAGES = 1024
MAX_UNACKED_BYTES = 1 << 20
# So much may wait for an acknowledgement before what others send is refused.
RELAY_ROOM_BYTES = MAX_UNACKED_BYTES // 2
# A stand-alone acknowledgement is due after this many messages (or after a second, which is the owner's affair).
ACK_EVERY = 32


class OverflowedError(Exception):
    """The other side acknowledged nothing for too long."""


class Delivery:
    """The numbers of both directions of one session; keeps what is sent until it is acknowledged."""

    __slots__ = ("_kept", "acked", "kept_bytes", "received", "sent", "told")

    def __init__(self) -> None:
        self.received = 0  # highest contiguous number received
        self.told = 0  # the highest `a` we sent
        self.sent = 0  # the last number given out
        self.acked = 0  # the highest number the other side has
        self._kept: list[bytes] = []  # frames acked+1 … sent
        self.kept_bytes = 0  # bytes kept for sending again

    def number(self, tail: bytes) -> bytes:
        """Make the next frame out of `tail`, the envelope's text after its numbers, and keep it.

        Raises OverflowedError when too much is unacknowledged.
        """
        self.sent = s = self.sent + 1
        self.told = a = self.received
        frame = b'{"s":%d,"a":%d,%b' % (s, a, tail)
        self._kept.append(frame)
        self.kept_bytes += len(frame)
        if self.kept_bytes > MAX_UNACKED_BYTES or len(self._kept) > MAX_UNACKED_MESSAGES:
            raise OverflowedError
        return frame

    def acknowledge(self, a: int) -> None:
        """The other side has everything up to `a`. A number never sent is ignored."""
        if a <= self.acked or a > self.sent:
            return
        if a == self.sent:  # everything: the usual case
            self._kept.clear()
            self.kept_bytes = 0
        else:
            count = a - self.acked
            self.kept_bytes -= sum(map(len, self._kept[:count]))
            del self._kept[:count]
        self.acked = a

    def take_ack(self) -> bytes:
        """A stand-alone acknowledgement."""
        self.told = self.received
        return b'{"t":"ack","a":%d}' % self.received

    def unacknowledged(self) -> list[bytes]:
        """What to send again after a resume, in order."""
        return list(self._kept)
