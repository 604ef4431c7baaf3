"""The events of connections and channels (W3C WebRTC, sections 4.8.2, 4.8.3 and 6.4; HTML, section 9.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from peerline.events import Event
from peerline.events.event import TRUSTED, time_stamp
from peerline.webrtc.ice_candidate import RTCIceCandidate
from peerline.webrtc.webidl import interface, nullable, unsigned_short, usv_string

if TYPE_CHECKING:
    from peerline.webrtc.data_channel import RTCDataChannel

Init = Mapping[str, Any] | None


class MessageEvent(Event):
    """A message has come: `data` is a text, bytes, or a Blob if `binaryType` says so."""

    __slots__ = ("_data", "_more")

    _data: Any
    _more: dict[str, Any] | None

    def __init__(self, type: str, eventInitDict: Init = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        self._more = self.members(eventInitDict, members)
        self._data = self._more.get("data")

    @classmethod
    def of(cls, data: Any) -> MessageEvent:
        """One of the implementation's own; there may be very many of them."""
        event = cls.__new__(cls)
        event._type = "message"
        event._flags = TRUSTED
        event._target = event._current_target = event._more = None
        event._time_stamp = time_stamp()
        event._data = data
        return event

    @property
    def data(self) -> Any:
        """The message."""
        return self._data

    @property
    def origin(self) -> str:
        """Where it comes from, in a browser; peers have none."""
        return "" if self._more is None else usv_string(self._more.get("origin", ""), "origin")

    @property
    def lastEventId(self) -> str:
        """Of server-sent events; "" here."""
        return "" if self._more is None else str(self._more.get("lastEventId", ""))

    @property
    def source(self) -> Any:
        """Of messages between windows; None here."""
        return None if self._more is None else self._more.get("source")

    @property
    def ports(self) -> Sequence[Any]:
        """Of messages between windows; none here."""
        return () if self._more is None else tuple(self._more.get("ports", ()))


class RTCPeerConnectionIceEvent(Event):
    """A candidate was found, or (None) no more will be: `RTCPeerConnectionIceEvent("icecandidate", {…})`."""

    __slots__ = ("_candidate", "_url")

    def __init__(self, type: str, eventInitDict: Init = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        self._candidate = nullable(interface(RTCIceCandidate))(init.get("candidate"), "candidate")
        self._url = nullable(usv_string)(init.get("url"), "url")

    @property
    def candidate(self) -> RTCIceCandidate | None:
        """To be told to the other side, which gives it to addIceCandidate. None needs not be told."""
        return self._candidate

    @property
    def url(self) -> str | None:
        """The server it comes from; an old place of `candidate.url`."""
        return self._url


class RTCPeerConnectionIceErrorEvent(Event):
    """A server gave no candidate: `RTCPeerConnectionIceErrorEvent("icecandidateerror", {"errorCode": 701, …})`."""

    __slots__ = ("_address", "_code", "_port", "_text", "_url")

    def __init__(self, type: str, eventInitDict: Init = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        if "errorCode" not in init:
            raise TypeError("RTCPeerConnectionIceErrorEvent needs the member 'errorCode'")
        self._address = nullable(usv_string)(init.get("address"), "address")
        self._port = nullable(unsigned_short)(init.get("port"), "port")
        self._url = usv_string(init.get("url", ""), "url")
        self._code = unsigned_short(init["errorCode"], "errorCode")
        self._text = usv_string(init.get("errorText", ""), "errorText")

    @property
    def address(self) -> str | None:
        """The address of ours that the server was asked from, if a candidate has shown it already."""
        return self._address

    @property
    def port(self) -> int | None:
        """And the port."""
        return self._port

    @property
    def url(self) -> str:
        """Which server."""
        return self._url

    @property
    def errorCode(self) -> int:
        """STUN's error code, or 701: the server was not reached."""
        return self._code

    @property
    def errorText(self) -> str:
        """What the server says, or why it was not reached."""
        return self._text


class RTCDataChannelEvent(Event):
    """The other side has opened a channel: `RTCDataChannelEvent("datachannel", {"channel": channel})`."""

    __slots__ = ("_channel",)

    def __init__(self, type: str, eventInitDict: Init = None, /, **members: Any) -> None:
        from peerline.webrtc.data_channel import RTCDataChannel

        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        if "channel" not in init:
            raise TypeError("RTCDataChannelEvent needs the member 'channel'")
        self._channel = interface(RTCDataChannel)(init["channel"], "channel")

    @property
    def channel(self) -> RTCDataChannel:
        """It."""
        return self._channel
