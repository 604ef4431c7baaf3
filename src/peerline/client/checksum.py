"""A checksum that can be computed while a file streams (docs/protocol.md, section 13): SHA-256 over the SHA-256
digests of its blocks."""

from __future__ import annotations

import hashlib

__all__ = ["BLOCK_BYTES", "BlockChecksum"]

BLOCK_BYTES = 1 << 20


class BlockChecksum:
    """Add the content in pieces of any size; then ask for the sum, once."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._block = hashlib.sha256()
        self._filled = 0

    def add(self, piece: bytes | memoryview) -> None:
        """The next bytes."""
        rest = memoryview(piece)
        while len(rest) >= (room := BLOCK_BYTES - self._filled):
            self._block.update(rest[:room])
            self._whole.update(self._block.digest())
            self._block, self._filled = hashlib.sha256(), 0
            rest = rest[room:]
        self._block.update(rest)
        self._filled += len(rest)

    def sum(self) -> str:
        """In hexadecimal. An empty file has no blocks."""
        if self._filled:
            self._whole.update(self._block.digest())
            self._block, self._filled = hashlib.sha256(), 0
        return self._whole.hexdigest()
