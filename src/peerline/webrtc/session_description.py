"""RTCSessionDescription (W3C WebRTC, section 4.6.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.webidl import dom_string, enumeration

RTCSdpType = enumeration("offer", "pranswer", "answer", "rollback")


class RTCSessionDescriptionInit(Dictionary):
    """What createOffer and createAnswer give, and setRemoteDescription takes."""

    type = Member(RTCSdpType, is_required=True)
    sdp = Member(dom_string, default=str)

    def __init__(
        self,
        init: Mapping[str, Any] | object | None = None,
        /,
        *,
        type: str | None = None,
        sdp: str | None = None,
    ) -> None:
        super().__init__(init, type=type, sdp=sdp)


class RTCLocalSessionDescriptionInit(Dictionary):
    """What setLocalDescription takes: without `type` it makes the description that the state asks for."""

    type = Member(RTCSdpType)
    sdp = Member(dom_string, default=str)

    def __init__(
        self,
        init: Mapping[str, Any] | object | None = None,
        /,
        *,
        type: str | None = None,
        sdp: str | None = None,
    ) -> None:
        super().__init__(init, type=type, sdp=sdp)


class RTCSessionDescription:
    """A description of a session: `RTCSessionDescription({"type": "offer", "sdp": "v=0…"})`, or with keywords."""

    __slots__ = ("__weakref__", "_sdp", "_type")

    def __init__(
        self,
        descriptionInitDict: Mapping[str, Any] | object | None = None,
        /,
        *,
        type: str | None = None,
        sdp: str | None = None,
    ) -> None:
        init = RTCSessionDescriptionInit(descriptionInitDict, type=type, sdp=sdp)
        self._type, self._sdp = init.type, init.sdp

    @property
    def type(self) -> str:
        """ "offer", "pranswer", "answer" or "rollback"."""
        return self._type

    @property
    def sdp(self) -> str:
        """The text."""
        return self._sdp

    def toJSON(self) -> dict[str, Any]:
        """Type and text, as a dictionary for `json.dumps`."""
        return {"type": self._type, "sdp": self._sdp}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RTCSessionDescription):
            return NotImplemented
        return self._type == other._type and self._sdp == other._sdp

    def __hash__(self) -> int:
        return hash((self._type, self._sdp))

    def __repr__(self) -> str:
        return f"<RTCSessionDescription {self._type}, {len(self._sdp)} characters>"
