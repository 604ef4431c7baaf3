"""MediaStreamEvent: streams of the other side come and go (WebRTC drafts up to 2015; browsers still have it)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peerline.events import Event
from peerline.media import MediaStream
from peerline.webidl import interface

__all__ = ["MediaStreamEvent"]


class MediaStreamEvent(Event):
    """A stream of the other side came or went: `event.stream`."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        if "stream" not in init:
            raise TypeError("MediaStreamEvent needs the member 'stream'")
        self._stream = interface(MediaStream)(init["stream"], "stream")

    @property
    def stream(self) -> MediaStream:
        """It."""
        return self._stream
