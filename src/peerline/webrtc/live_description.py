"""The descriptions of a connection: candidates that come later are seen in them (W3C WebRTC 4.4.2)."""

from __future__ import annotations

from peerline.jsep import Applied
from peerline.webrtc.session_description import RTCSessionDescription

__all__ = ["LiveDescription"]


class LiveDescription(RTCSessionDescription):
    """An RTCSessionDescription whose text is made when it is read."""

    __slots__ = ("_applied",)

    def __init__(self, applied: Applied) -> None:
        self._type = applied.type
        self._applied = applied

    @property
    def _sdp(self) -> str:  # type: ignore[override]
        return self._applied.text
