"""The W3C's objects (WebRTC 1.0). `from peerline import RTCPeerConnection` finds them: docs/flows/offer-answer.md."""
