"""The lines of an event stream, as far as this protocol has them (HTML, section 9.2.6)."""

from __future__ import annotations

# What the server keeps for a session is far less.
_MAX_LINE_BYTES = 4 << 20


class EventStream:
    """Give it pieces of the stream as they come; gives the data of events that are complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Raises ValueError if a line has no end."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _MAX_LINE_BYTES:
            raise ValueError("a line of the event stream has no end")
        events = []
        for line in lines:
            plain = line.removesuffix(b"\r")
            if not plain:
                if self._data:
                    events.append(b"\n".join(self._data))
                self._data = []
            elif plain.startswith(b"data:"):
                self._data.append(plain.removeprefix(b"data:").removeprefix(b" "))
        return events
