"""Blob: bytes that stay where they are until somebody asks (File API, section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peerline.jobs import promising


class Blob:
    """`Blob(["text", b"bytes", other_blob], type="text/plain")`. It never changes."""

    __slots__ = ("__weakref__", "_data", "_type")

    def __init__(self, blobParts: Iterable[Any] = (), options: Any = None, /, *, type: str = "") -> None:
        if isinstance(blobParts, str | bytes):
            raise TypeError("the parts of a Blob are a list: Blob([data])")
        self._data = b"".join(bytes_of(part) for part in blobParts)
        kind = str(options.get("type", "")) if isinstance(options, dict) else type
        self._type = kind.lower() if kind.isascii() and kind.isprintable() else ""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self._data)

    @property
    def type(self) -> str:
        """A media type, or ""."""
        return self._type

    def slice(self, start: int = 0, end: int | None = None, contentType: str = "") -> Blob:
        """A part of it; negative positions count from the end."""
        return Blob([self._data[start : self.size if end is None else end]], type=contentType)

    @promising
    async def text(self) -> str:
        """As UTF-8."""
        return self._data.decode("utf-8", "replace")

    @promising
    async def arrayBuffer(self) -> bytes:
        """All of it."""
        return self._data

    bytes = arrayBuffer

    def __bytes__(self) -> Any:
        return self._data

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"<Blob {self.size} bytes {self._type!r}>"


def bytes_of(part: Any) -> bytes:
    """Of text, of anything with a buffer (bytearray, memoryview, array, numpy), of a Blob. Raises TypeError."""
    if isinstance(part, str):
        return part.encode("utf-8", "replace")
    if isinstance(part, bytes):
        return part
    if isinstance(part, Blob):
        return part._data
    try:
        return memoryview(part).tobytes()
    except TypeError:
        raise TypeError(f"text, bytes, a buffer or a Blob is needed, not {type(part).__name__}") from None
