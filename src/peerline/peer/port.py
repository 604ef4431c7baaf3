"""One kind of media of a connection: its remote track, once there is one, and the track that it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from peerline.media import MediaStream

if TYPE_CHECKING:
    from peerline.media import MediaStreamTrack
    from peerline.webrtc.peer_connection import RTCPeerConnection

__all__ = ["Port"]


class Port:
    """Of one kind."""

    kind: Literal["audio", "video"]

    def __init__(self, pc: RTCPeerConnection) -> None:
        self._pc = pc

    def _transceiver(self) -> Any:
        """The first of its kind, made if there is none."""
        for transceiver in self._pc.getTransceivers():
            if transceiver.receiver.track.kind == self.kind and not transceiver.stopped:
                return transceiver
        return self._pc.addTransceiver(self.kind)

    @property
    def remote(self) -> MediaStreamTrack:
        """The track that is received; muted until something comes."""
        track: MediaStreamTrack = self._transceiver().receiver.track
        return track

    def _send(self, track: MediaStreamTrack) -> None:
        """In place of what was sent. Where nothing was, negotiation is needed."""
        for transceiver in self._pc.getTransceivers():
            sender = transceiver.sender
            if transceiver.receiver.track.kind == self.kind and not transceiver.stopped and sender.track is not None:
                sender.replaceTrack(track)
                return
        self._pc.addTrack(track, MediaStream())
