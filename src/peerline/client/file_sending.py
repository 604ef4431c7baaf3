"""Sending one file: read a block at a time, never more in flight than the channel has room for."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from typing import Any, BinaryIO

from peerline.client.bodies import read_object
from peerline.client.change import Change
from peerline.client.checksum import BLOCK_BYTES, BlockChecksum
from peerline.client.errors import TransferError
from peerline.client.file_receiving import Progress
from peerline.errors import InvalidStateError
from peerline.webrtc.data_channel import RTCDataChannel

__all__ = ["Sending"]

_CHUNK_BYTES = 65_536


class Sending:
    """One transfer. `stop` may be called from anywhere."""

    def __init__(self, channel: RTCDataChannel, file: BinaryIO, name: str) -> None:
        self._channel = channel
        self._file = file
        self._name = name
        self._words: deque[str] = deque()
        self._error: TransferError | None = None
        self._change = Change()
        channel.onopen = lambda _: self._change.tell()
        channel.onclose = lambda _: self.stop(TransferError(f"{name}: the channel was closed"))
        channel.onmessage = lambda event: self._hear(event.data)

    async def run(self, on_progress: Progress | None) -> int:
        """Returns its size once the other side has it, and has found its checksum right.

        Raises TransferError, or OSError if the file cannot be read.
        """
        try:
            return await self._send(on_progress)
        except InvalidStateError:
            self._check()
            raise
        except BaseException as error:
            if self._channel.readyState == "open" and error is not self._error:
                self._say({"t": "cancel"})
            raise
        finally:
            self._channel.close()

    def stop(self, error: TransferError) -> None:
        """It is over: `run` raises this."""
        if self._error is None:
            self._error = error
        self._change.tell()

    async def _send(self, on_progress: Progress | None) -> int:
        channel = self._channel
        await self._until(lambda: channel.readyState == "open")
        size = os.fstat(self._file.fileno()).st_size
        self._say({"t": "file", "name": self._name, "size": size, "type": "application/octet-stream"})
        await self._word("go")
        checksum, done = BlockChecksum(), 0

        def next_block() -> bytes:
            block = self._file.read(min(BLOCK_BYTES, size - done))
            checksum.add(block)
            return block

        while done < size:
            block = await asyncio.to_thread(next_block)
            if not block:
                raise TransferError(f"{self._name}: the file has become shorter meanwhile")
            for start in range(0, len(block), _CHUNK_BYTES):
                self._check()
                chunk = block[start : start + _CHUNK_BYTES]
                await channel.send_when_ready(chunk)
                done += len(chunk)
                if on_progress is not None:
                    on_progress(done, size)
        self._check()
        self._say({"t": "end", "sum": checksum.sum()})
        await self._word("ok")
        return size

    async def _word(self, wanted: str) -> None:
        await self._until(lambda: self._words)
        word = self._words.popleft()
        if word == "bad":
            raise TransferError(
                f"{self._name}: what arrived is not what was sent: the checksums differ", code="bad",
                hint="Send it again. If that happens again, a disk or memory is faulty.",
            )  # fmt: skip
        if word != wanted:
            raise TransferError(f"{self._name}: the other side answered out of turn")

    def _hear(self, data: Any) -> None:
        word = (read_object(data) or {}).get("t")
        if word == "cancel":
            self.stop(TransferError(f"{self._name}: the other side does not want it", code="cancelled"))
            self._channel.close()  # and with that a wait for room is over
        elif word in ("go", "ok", "bad") and len(self._words) < 3:
            self._words.append(word)
            self._change.tell()

    async def _until(self, holds: Any) -> None:
        def look() -> bool:
            self._check()
            return bool(holds())

        await self._change.until(look)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _say(self, message: dict[str, Any]) -> None:
        self._channel.send(json.dumps(message, ensure_ascii=False))
