"""RTCIceTransport (W3C WebRTC, section 5.6)."""

from __future__ import annotations

from typing import Any

from peerline.events import EventHandler, EventTarget
from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.ice_candidate import RTCIceCandidate, RTCIceCandidatePair
from peerline.webrtc.webidl import dom_string


class RTCIceParameters(Dictionary):
    """User fragment and password of one generation."""

    usernameFragment = Member(dom_string)
    password = Member(dom_string)


class RTCIceTransport(EventTarget):
    """How the packets of a media section find their way. A connection makes it; it is always the same object."""

    onstatechange = EventHandler("statechange")
    ongatheringstatechange = EventHandler("gatheringstatechange")
    onselectedcandidatepairchange = EventHandler("selectedcandidatepairchange")

    _role: str | None
    _state: str
    _gathering: str
    _local: list[RTCIceCandidate]
    _remote: list[RTCIceCandidate]
    _pair: RTCIceCandidatePair | None
    _local_parameters: RTCIceParameters | None
    _remote_parameters: RTCIceParameters | None

    def __init__(self) -> None:
        raise TypeError("RTCIceTransport has no constructor: a connection's transports have one")

    @classmethod
    def _made(cls) -> RTCIceTransport:
        made = cls.__new__(cls)
        made._role = None
        made._state = made._gathering = "new"
        made._local, made._remote = [], []
        made._pair = made._local_parameters = made._remote_parameters = None
        return made

    @property
    def role(self) -> str:
        """ "controlling", "controlled", or "unknown" before descriptions say."""
        return self._role or "unknown"

    @property
    def component(self) -> str:
        """ "rtp": RTCP goes the same way."""
        return "rtp"

    @property
    def state(self) -> str:
        """ "new", "checking", "connected", "completed", "disconnected", "failed" or "closed"."""
        return self._state

    @property
    def gatheringState(self) -> str:
        """ "new", "gathering" or "complete"."""
        return self._gathering

    def getLocalCandidates(self) -> list[RTCIceCandidate]:
        """Those of ours that were told of, of the newest generation."""
        return list(self._local)

    def getRemoteCandidates(self) -> list[RTCIceCandidate]:
        """Those of the other side."""
        return list(self._remote)

    def getSelectedCandidatePair(self) -> RTCIceCandidatePair | None:
        """Between which data goes; None before there is one."""
        return self._pair

    def getLocalParameters(self) -> RTCIceParameters | None:
        """Ours; None before a local description."""
        return self._local_parameters

    def getRemoteParameters(self) -> RTCIceParameters | None:
        """The other side's; None before a remote description."""
        return self._remote_parameters

    def __repr__(self) -> str:
        return f"<RTCIceTransport {self._state}>"


def parameters(ufrag: str, password: str) -> Any:
    """As the two methods give them."""
    return RTCIceParameters(usernameFragment=ufrag, password=password)
