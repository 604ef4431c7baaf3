"""Receiving one file: written and summed up as it comes, so that memory holds one message at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from peerline.client.bodies import read_object
from peerline.client.change import Change
from peerline.client.checksum import BlockChecksum
from peerline.client.errors import TransferError
from peerline.client.part_file import MAX_NAME, PartFile, safe_name
from peerline.webrtc.data_channel import RTCDataChannel

__all__ = ["IncomingFile", "Progress"]

Progress = Callable[[int, int], object]
"""Told of bytes done, and of all."""

_MAX_CHUNK = 65_536
_MAX_SIZE = 2**53 - 1
# How long the sender may take to read our last word.
_FAREWELL_S = 5.0
_WHY = {
    "cancelled": "the other side stopped it",
    "bad": "what came is not what was sent: the checksums differ",
    "failed": "it broke off",
}


@dataclass(frozen=True, slots=True)
class _Offer:
    name: str
    size: int
    type: str


class IncomingFile:
    """What the other side offers to send: `save` it, or `decline`. The content is not looked at, its `type` a claim."""

    def __init__(self, channel: RTCDataChannel, offered: Callable[[IncomingFile], object]) -> None:
        self._channel = channel
        self._offered = offered
        self._offer: _Offer | None = None
        self._change = Change()
        self._part: PartFile | None = None
        self._checksum = BlockChecksum()
        self._on_progress: Progress | None = None
        self._place: Path | None = None
        self._error: TransferError | None = None
        self.done = 0
        """Bytes that have come."""
        self.state: Literal["waiting", "moving", "ok", "bad", "cancelled", "failed"] = "waiting"
        channel.onmessage = lambda event: self._receive(event.data)
        channel.onclose = lambda _: self._closed()

    @property
    def name(self) -> str:
        """Without directories, fit for a file."""
        return self._offer.name if self._offer is not None else "file"

    @property
    def size(self) -> int:
        """In bytes."""
        return self._offer.size if self._offer is not None else 0

    @property
    def type(self) -> str:
        """The media type, as the sender says."""
        return self._offer.type if self._offer is not None else ""

    @property
    def is_over(self) -> bool:
        """Whether nothing comes any more."""
        return self.state not in ("waiting", "moving")

    async def save(self, folder: Path | str, on_progress: Progress | None = None) -> Path:
        """Take it, and return where it is once it is whole and its checksum right. Nothing is overwritten.

        Raises TransferError; then nothing is left in the folder. Cancelling stops the transfer.
        """
        if self.state != "waiting":
            raise TransferError(self._reason(), code=self._code())
        try:
            self._part = PartFile(Path(folder), self.name, self.size)
        except TransferError:
            self.decline()
            raise
        self._on_progress = on_progress
        self.state = "moving"
        self._say("go")
        try:
            await self._change.until(lambda: self.is_over)
        except BaseException:
            self._stop("cancelled")
            raise
        if self._place is None:
            raise self._error or TransferError(self._reason(), code=self._code())
        await self._farewell()
        return self._place

    def decline(self) -> None:
        """No. Also stops what is under way."""
        self._stop("cancelled")

    def fail(self) -> None:
        """The call is over."""
        self._finish("failed")

    # What comes --------------------------------------------------------------------------------------

    def _receive(self, data: Any) -> None:
        if self.is_over:
            return
        if self._offer is None:
            self._offer = _read_offer(data)
            if self._offer is None:
                self._finish("failed")
            else:
                self._offered(self)
        elif isinstance(data, bytes):
            self._store(data)
        else:
            message = read_object(data) or {}
            if message.get("t") == "cancel":
                self._finish("cancelled")
            elif message.get("t") == "end" and self.state == "moving":
                self._check(message.get("sum"))
            else:
                self._stop("failed")

    def _store(self, piece: bytes) -> None:
        self.done += len(piece)
        if self.state != "moving" or self._part is None or self.done > self.size or not 0 < len(piece) <= _MAX_CHUNK:
            self._stop("failed")
            return
        try:
            self._part.write(piece)
        except TransferError as error:
            self._error = error
            self._stop("failed")
            return
        self._checksum.add(piece)
        if self._on_progress is not None:
            self._on_progress(self.done, self.size)

    def _check(self, sum: Any) -> None:
        if self.done != self.size or self._checksum.sum() != sum or self._part is None:
            self._say("bad")
            self._finish("bad")
            return
        try:
            self._place = self._part.keep()
        except TransferError as error:
            self._error = error
            self._stop("failed")
            return
        self._part = None
        self._say("ok")
        self._finish("ok")

    def _closed(self) -> None:
        self._finish("failed")
        self._change.tell()

    # The end -----------------------------------------------------------------------------------------

    def _stop(self, state: Literal["cancelled", "failed"]) -> None:
        if not self.is_over:
            self._say("cancel")
            self._finish(state)

    def _finish(self, state: Literal["ok", "bad", "cancelled", "failed"]) -> None:
        if self.is_over:
            return
        self.state = state
        if self._part is not None:
            self._part.discard()
            self._part = None
        # After `ok` and `bad` the sender closes, when it has read the word.
        if state not in ("ok", "bad"):
            self._channel.close()
        self._change.tell()

    async def _farewell(self) -> None:
        """Whoever hangs up now would take our `ok` away from the sender."""
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._change.until(lambda: self._channel.readyState == "closed")
        except TimeoutError:
            pass

    def _say(self, word: str) -> None:
        if self._channel.readyState == "open":
            self._channel.send(f'{{"t":"{word}"}}')

    def _reason(self) -> str:
        return f"{self.name}: {_WHY.get(self.state, 'it was taken already')}"

    def _code(self) -> str:
        return self.state if self.state in _WHY else "failed"


def _read_offer(data: Any) -> _Offer | None:
    """The first message of a channel; None if it is not one."""
    message = read_object(data)
    if message is None or message.get("t") != "file":
        return None
    name, size, kind = message.get("name"), message.get("size"), message.get("type")
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MAX_SIZE:
        return None
    return _Offer(safe_name(name), size, kind[:MAX_NAME] if isinstance(kind, str) else "")
