"""RTCDtlsTransport (W3C WebRTC, section 5.5)."""

from __future__ import annotations

from peerline.events import EventHandler, EventTarget
from peerline.webrtc.ice_transport import RTCIceTransport


class RTCDtlsTransport(EventTarget):
    """What makes the way of a media section private. A connection makes it; it is always the same object."""

    onstatechange = EventHandler("statechange")
    onerror = EventHandler("error")

    _ice: RTCIceTransport
    _state: str
    _certificates: list[bytes]

    def __init__(self) -> None:
        raise TypeError("RTCDtlsTransport has no constructor: sender.transport and sctp.transport give one")

    @classmethod
    def _made(cls, ice: RTCIceTransport) -> RTCDtlsTransport:
        made = cls.__new__(cls)
        made._ice, made._state, made._certificates = ice, "new", []
        return made

    @property
    def iceTransport(self) -> RTCIceTransport:
        """What it goes over."""
        return self._ice

    @property
    def state(self) -> str:
        """ "new", "connecting", "connected", "closed" or "failed"."""
        return self._state

    def getRemoteCertificates(self) -> list[bytes]:
        """What the other side has shown, in DER; empty before it is connected."""
        return list(self._certificates)

    def __repr__(self) -> str:
        return f"<RTCDtlsTransport {self._state}>"
