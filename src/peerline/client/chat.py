"""Text chat over the data channel `chat` (docs/protocol.md, section 13)."""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import dataclass
from typing import Any

from peerline.client.bodies import read_object
from peerline.client.change import Change, Stream
from peerline.client.identity import make_secret
from peerline.errors import InvalidStateError, RefusedError
from peerline.webrtc.data_channel import RTCDataChannel

__all__ = ["CHAT_LABEL", "MAX_TEXT", "Chat", "ChatMessage"]

CHAT_LABEL = "chat"
# In UTF-16 units, as JavaScript counts.
MAX_TEXT = 16_000
_MAX_ID = 64
# So many messages wait for a program that does not read; then the oldest go.
_MAX_UNREAD = 10_000
_MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message; `at_ms` is when it was sent, by the sender's clock."""

    id: str
    text: str
    at_ms: float


class Chat:
    """Of one call, over the channels of one peer connection after the other."""

    def __init__(self) -> None:
        self.messages: Stream[ChatMessage] = Stream(_MAX_UNREAD)
        self._channel: RTCDataChannel | None = None
        self._known: dict[str, None] = {}
        self._change = Change()
        self._order = asyncio.Lock()
        self._over: Exception | None = None

    def open(self, channel: RTCDataChannel) -> None:
        """A new channel: the first, or the one of a new peer connection."""
        self._channel = channel
        channel.onopen = channel.onclose = lambda _: self._change.tell()
        channel.onmessage = lambda event: self._receive(event.data)
        self._change.tell()

    async def send(self, text: str) -> ChatMessage:
        """Say something. Waits until the channel is open and has room.

        Raises RefusedError (`too_large`), CallOverError.
        """
        if len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TEXT:
            raise RefusedError(f"a message has at most {MAX_TEXT:,} characters", code="too_large")
        message = ChatMessage(make_secret(9), text, time.time() * 1000)
        line = json.dumps({"id": message.id, "text": text, "at": int(message.at_ms)}, ensure_ascii=False)
        async with self._order:
            while True:
                channel = await self._change.until(self._usable)
                assert channel is not None  # that is what was waited for
                try:
                    await channel.send_when_ready(line)
                    return message
                except InvalidStateError:
                    continue  # closed meanwhile; the next peer connection has another

    async def finish(self, within_s: float) -> None:
        """Close the channel: what was said arrives before it is closed. Gives up after that time."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        channel.close()
        try:
            async with asyncio.timeout(within_s):
                await self._change.until(lambda: channel.readyState == "closed")
        except TimeoutError:
            pass

    def end(self, over: Exception) -> None:
        """The call is over."""
        self._over = over
        self.messages.end()
        self._change.tell()

    def _usable(self) -> RTCDataChannel | None:
        if self._over is not None:
            raise self._over
        return self._channel if self._channel is not None and self._channel.readyState == "open" else None

    def _receive(self, data: Any) -> None:
        message = read_object(data)
        if message is None:
            return
        key, text, at = message.get("id"), message.get("text"), message.get("at")
        if not isinstance(key, str) or not 0 < len(key) <= _MAX_ID or not isinstance(text, str):
            return
        if len(text) > MAX_TEXT or key in self._known:
            return
        self._known[key] = None
        if len(self._known) > _MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        if not isinstance(at, int | float) or isinstance(at, bool) or not math.isfinite(at):
            at = time.time() * 1000
        self.messages.put(ChatMessage(key, text, at))
