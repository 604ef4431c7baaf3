"""What every message of the server looks like from outside, and how a frame is read (docs/protocol.md, section 3)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from peerline.signaling.messages import MAX_BATCH, Sequence, Who

__all__ = ["Envelope", "read_frame"]

# A frame of a long poll holds all that waits, which is bounded by what the server keeps.
_MAX_POLLED = 2048


class Envelope(Struct, rename={"from_": "from"}):
    """The body `d` stays unread until its type is known."""

    t: str
    s: Sequence | None = None
    a: Sequence = 0
    re: Annotated[str, Meta(max_length=64)] | None = None
    call: Annotated[str, Meta(max_length=64)] = ""
    from_: Who | None = None
    d: Raw = Raw(b"{}")


_one = msgspec.json.Decoder(Envelope)
_items = msgspec.json.Decoder(list[Raw])


def read_frame(text: bytes, *, is_polled: bool = False) -> list[Envelope]:
    """Read a frame.

    What is no envelope is left out: if it had a number, the gap it leaves makes the session resume, which is the cure
    for a broken stream anyway.
    """
    try:
        if text.lstrip()[:1] != b"[":
            return [_one.decode(text)]
        items = _items.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    found = []
    for item in items[: _MAX_POLLED if is_polled else MAX_BATCH]:
        try:
            found.append(_one.decode(item))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return found
