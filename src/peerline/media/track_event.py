"""A track has come into a stream or left it (Media Capture and Streams, section 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peerline.events import Event
from peerline.media.track import MediaStreamTrack
from peerline.webidl import interface


class MediaStreamTrackEvent(Event):
    """`MediaStreamTrackEvent("addtrack", {"track": track})`."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        if "track" not in init:
            raise TypeError("MediaStreamTrackEvent needs the member 'track'")
        self._track: MediaStreamTrack = interface(MediaStreamTrack)(init["track"], "track")

    @property
    def track(self) -> MediaStreamTrack:
        """It."""
        return self._track
