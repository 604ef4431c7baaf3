"""A peer connection as a program that hears, speaks and sees wants it. `peer.pc` is the W3C's object behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peerline.peer.audio import AudioPort
from peerline.peer.video import VideoPort

if TYPE_CHECKING:
    from peerline.webrtc.peer_connection import RTCPeerConnection

__all__ = ["Peer"]


class Peer:
    """`Peer(pc)`, before or after negotiation. It changes nothing until something is received or sent."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        self.pc = pc
        self.audio = AudioPort(pc)
        self.video = VideoPort(pc)

    def __repr__(self) -> str:
        return f"<Peer {self.pc!r}>"
