"""RTCError and RTCErrorEvent (W3C WebRTC, section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peerline.errors import OperationError
from peerline.events import Event
from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.webidl import dom_string, enumeration, interface, long, unsigned_long

RTCErrorDetailType = enumeration(
    "data-channel-failure",
    "dtls-failure",
    "fingerprint-failure",
    "sctp-failure",
    "sdp-syntax-error",
    "hardware-encoder-not-available",
    "hardware-encoder-error",
)


class RTCErrorInit(Dictionary):
    """What an RTCError says beside its message; all but `errorDetail` may be missing."""

    errorDetail = Member(RTCErrorDetailType, is_required=True)
    receivedAlert = Member(unsigned_long)
    sctpCauseCode = Member(long)
    sdpLineNumber = Member(long)
    sentAlert = Member(unsigned_long)


class RTCError(OperationError):
    """An OperationError that says where in WebRTC it came from: `RTCError({"errorDetail": "sctp-failure"}, "…")`."""

    def __init__(self, init: Mapping[str, Any] | None = None, message: Any = "", /, **members: Any) -> None:
        if init is None and not members:
            raise TypeError("RTCError needs a dictionary with errorDetail")
        self._init = RTCErrorInit(init, **members)
        super().__init__(dom_string(message, "the message"))

    def __new__(cls, *arguments: Any, **members: Any) -> RTCError:
        error = Exception.__new__(cls)
        assert isinstance(error, RTCError)
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self._init), self.message)

    @property
    def errorDetail(self) -> str:
        """Which part failed: "dtls-failure", "fingerprint-failure", "sctp-failure", "data-channel-failure" …"""
        return self._init.errorDetail

    @property
    def sdpLineNumber(self) -> int | None:
        """The line of a description that cannot be read, from 1, with "sdp-syntax-error"."""
        return self._init.sdpLineNumber

    @property
    def sctpCauseCode(self) -> int | None:
        """The cause of an SCTP ABORT, with "sctp-failure"."""
        return self._init.sctpCauseCode

    @property
    def receivedAlert(self) -> int | None:
        """The fatal DTLS alert that came, with "dtls-failure"."""
        return self._init.receivedAlert

    @property
    def sentAlert(self) -> int | None:
        """The fatal DTLS alert that went out, with "dtls-failure"."""
        return self._init.sentAlert


class RTCErrorEvent(Event):
    """An RTCError that nobody could be given: `RTCErrorEvent("error", {"error": error})`."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        if "error" not in init:
            raise TypeError("RTCErrorEvent needs the member 'error'")
        self._error = interface(RTCError)(init["error"], "error")

    @property
    def error(self) -> RTCError:
        """It."""
        return self._error
