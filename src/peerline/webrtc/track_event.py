"""RTCTrackEvent (W3C WebRTC 5.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peerline.events import Event
from peerline.media import MediaStream, MediaStreamTrack
from peerline.webidl import interface, sequence
from peerline.webrtc.rtp_receiver import RTCRtpReceiver

if TYPE_CHECKING:
    from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver

__all__ = ["RTCTrackEvent"]


class RTCTrackEvent(Event):
    """The other side sends a track: `event.track` of `event.receiver`, in `event.streams`."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver

        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        for name in ("receiver", "track", "transceiver"):
            if name not in init:
                raise TypeError(f"RTCTrackEvent needs the member {name!r}")
        self._receiver = interface(RTCRtpReceiver)(init["receiver"], "receiver")
        self._track = interface(MediaStreamTrack)(init["track"], "track")
        self._streams = tuple(sequence(interface(MediaStream))(init.get("streams", ()), "streams"))
        self._transceiver = interface(RTCRtpTransceiver)(init["transceiver"], "transceiver")

    @property
    def receiver(self) -> RTCRtpReceiver:
        """What receives the track."""
        return self._receiver

    @property
    def track(self) -> MediaStreamTrack:
        """The track; it is muted until something comes."""
        return self._track

    @property
    def streams(self) -> tuple[MediaStream, ...]:
        """The streams it belongs to; the same objects for tracks of the same streams."""
        return self._streams

    @property
    def transceiver(self) -> RTCRtpTransceiver:
        """Both directions of it."""
        return self._transceiver
