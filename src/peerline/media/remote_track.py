"""The track of an RTCRtpReceiver: what the other side sends (W3C WebRTC, section 5.3)."""

from __future__ import annotations

from typing import Literal

from peerline.media.source import Source
from peerline.media.track import MediaStreamTrack


class RemoteTrack(MediaStreamTrack):
    """Live, and muted until something comes. The receiver says what happens to it, in tasks of its own."""

    def __init__(self, kind: Literal["audio", "video"], *, id: str | None = None) -> None:
        super().__init__(kind, id=id, source=Source(f"remote {kind}", is_muted=True))

    def set_muted(self, is_muted: bool) -> None:
        """For it and its clones: fires mute or unmute now, if that is new."""
        self._source.set_muted(is_muted)

    def end(self) -> None:
        """For it and its clones: nothing will come any more. Fires ended now, unless it was stopped or has ended."""
        self._source.end()
