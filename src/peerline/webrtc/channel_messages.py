"""`async for message in channel`: messages that wait for who reads them. Ours; W3C has handlers only."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from peerline.webrtc.data_channel import RTCDataChannel

# For all channels of a connection, in bytes.
MAX_KEPT = 4 * 1024 * 1024


class Kept:
    """How many bytes are kept by all channels of a connection."""

    def __init__(self) -> None:
        self.bytes = 0


class KeptMessages:
    """Of a channel that nobody listens to yet: who begins to read finds them. The oldest go when there are too many.

    Without them, what the other side says between `datachannel` and the first `async for` would be lost.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._messages: deque[str | bytes] | None = None  # most channels never have one

    def add(self, messages: list[str | bytes]) -> None:
        """They have come."""
        if self._messages is None:
            self._messages = deque()
        self._messages.extend(messages)
        self._kept.bytes += sum(map(_cost, messages))
        while self._messages and self._kept.bytes > MAX_KEPT:
            self._kept.bytes -= _cost(self._messages.popleft())

    def take(self) -> deque[str | bytes]:
        """All, in their order."""
        taken, self._messages = self._messages or deque(), None
        self._kept.bytes -= sum(map(_cost, taken))
        return taken


def _cost(message: str | bytes) -> int:
    return len(message) + 64


class ChannelMessages(AsyncIterator[Any]):
    """The iterator. It ends when the channel is closed and everything that came before was read."""

    def __init__(self, channel: RTCDataChannel, kept: deque[str | bytes]) -> None:
        self._channel = channel
        self._messages = kept
        self._waiter: asyncio.Future[None] | None = None

    def add(self, messages: list[str | bytes]) -> None:
        """They have come."""
        self._messages.extend(messages)
        self.wake()

    def wake(self) -> None:
        """There is something new, or nothing will be any more."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while not self._messages:
            if self._channel._state == "closed":
                raise StopAsyncIteration
            if self._waiter is None:
                self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)
        return self._channel._shown(self._messages.popleft())


class Readers:
    """The iterators of a channel that somebody still has."""

    def __init__(self) -> None:
        self._readers: list[weakref.ref[ChannelMessages]] = []

    def add(self, reader: ChannelMessages) -> None:
        """A new one."""
        self._readers.append(weakref.ref(reader, self._readers.remove))

    def __bool__(self) -> bool:
        return bool(self._readers)

    def give(self, messages: list[str | bytes]) -> None:
        """To each of them."""
        for reader in list(self._readers):
            if (living := reader()) is not None:
                living.add(messages)

    def wake(self) -> None:
        """The channel has ended."""
        for reader in list(self._readers):
            if (living := reader()) is not None:
                living.wake()
