"""RTCRtpTransceiver (W3C WebRTC 5.4; header extensions: WebRTC Extensions 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from peerline.errors import InvalidModificationError, InvalidStateError
from peerline.jsep import EXTENSIONS, Transceiver, is_media
from peerline.jsep.direction import TransceiverDirection
from peerline.jsep.header_extensions import MID
from peerline.media import MediaStreamTrack
from peerline.webidl import sequence
from peerline.webrtc.capabilities import codec_of
from peerline.webrtc.rtp_parameters import (
    RTCRtpCodec,
    RTCRtpHeaderExtensionCapability,
    RTCRtpTransceiverDirection,
    dictionary,
)
from peerline.webrtc.rtp_receiver import RTCRtpReceiver
from peerline.webrtc.rtp_sender import RTCRtpSender

if TYPE_CHECKING:
    from peerline.webrtc.peer_connection_base import ConnectionBase

__all__ = ["RTCRtpTransceiver"]


class RTCRtpTransceiver:
    """A sender and a receiver that share a media section of the descriptions."""

    _connection: ConnectionBase
    _negotiated: Transceiver
    _number: int  # of its section, for the packet core
    _sender: RTCRtpSender
    _receiver: RTCRtpReceiver

    def __init__(self) -> None:
        raise TypeError("RTCRtpTransceiver has no constructor: addTransceiver makes one")

    @classmethod
    def _made(
        cls, connection: ConnectionBase, negotiated: Transceiver, track: MediaStreamTrack | None, number: int
    ) -> RTCRtpTransceiver:
        made = cls.__new__(cls)
        made._connection, made._negotiated, made._number = connection, negotiated, number
        made._sender = RTCRtpSender._made(connection, negotiated, track, number)
        made._receiver = RTCRtpReceiver._made(connection, negotiated, number)
        return made

    @property
    def mid(self) -> str | None:
        """The name of its media section; None before it has one."""
        return self._negotiated.mid

    @property
    def sender(self) -> RTCRtpSender:
        """The half that sends."""
        return self._sender

    @property
    def receiver(self) -> RTCRtpReceiver:
        """The half that receives."""
        return self._receiver

    @property
    def stopped(self) -> bool:
        """An old attribute: `currentDirection == "stopped"`."""
        return self._negotiated.is_stopped

    @property
    def direction(self) -> str:
        """What is wished for: "sendrecv", "sendonly", "recvonly" or "inactive"; the next negotiation says it.

        "stopped" after stop(). Other words than these are ignored. Raises InvalidStateError once it is stopped.
        """
        return "stopped" if self._negotiated.is_stopping else self._negotiated.direction

    @direction.setter
    def direction(self, value: Any) -> None:
        try:
            wanted = RTCRtpTransceiverDirection(value, "direction")
        except TypeError:
            return  # as attributes of an enumeration do it (Web IDL, section 3.7.6)
        if self._negotiated.is_stopping:
            raise InvalidStateError("the transceiver is stopped")
        if wanted == self._negotiated.direction:
            return
        if wanted == "stopped":
            raise TypeError("a transceiver is stopped with stop()")
        self._negotiated.direction = cast("TransceiverDirection", wanted)
        self._connection._update_negotiation_needed()

    @property
    def currentDirection(self) -> str | None:
        """What was negotiated last; None before that, "stopped" at the end."""
        return "stopped" if self._negotiated.is_stopped else self._negotiated.current_direction

    def stop(self) -> None:
        """Send and receive no more, for good: after the next negotiation it is gone. Raises InvalidStateError once the
        connection is closed."""
        self._connection._require_open()
        if self._negotiated.is_stopping:
            return
        self._stop_sending_and_receiving()
        self._connection._update_negotiation_needed()

    def setCodecPreferences(self, codecs: Sequence[Any]) -> None:
        """Offer and answer these codecs in this order; an empty list: as by default.

        Raises InvalidModificationError for what getCapabilities does not have, or if there is no codec but repairs.
        """
        given = sequence(dictionary(RTCRtpCodec))(codecs, "codecs")
        chosen = []
        for wanted in given:
            codec = codec_of(self._negotiated.kind, wanted)
            if codec is None:
                raise InvalidModificationError(
                    f"{wanted.mimeType} is not among the capabilities", hint="See RTCRtpReceiver.getCapabilities."
                )
            if codec not in chosen:
                chosen.append(codec)
        if chosen and not any(map(is_media, chosen)):
            raise InvalidModificationError("only repairs, tones or silence are left")
        self._negotiated.preferred_codecs = tuple(chosen)

    def getHeaderExtensionsToNegotiate(self) -> list[RTCRtpHeaderExtensionCapability]:
        """All that are implemented, each with the direction that is offered; "stopped": not offered."""
        wanted = self._negotiated.preferred_extensions
        return [
            RTCRtpHeaderExtensionCapability(uri=uri, direction=_said(wanted[uri] if wanted else "sendrecv"))
            for uri in EXTENSIONS[self._negotiated.kind]
        ]

    def setHeaderExtensionsToNegotiate(self, extensions: Sequence[Any]) -> None:
        """The same list with other directions. Raises InvalidModificationError, TypeError."""
        given = sequence(dictionary(RTCRtpHeaderExtensionCapability))(extensions, "extensions")
        implemented = list(EXTENSIONS[self._negotiated.kind])
        if [one.uri for one in given] != implemented:
            raise InvalidModificationError(
                "the list has the extensions of getHeaderExtensionsToNegotiate, in its order"
            )
        for one in given:
            if one.uri == MID and one.direction != "sendrecv":
                raise InvalidModificationError("BUNDLE needs the extension sdes:mid")
        self._negotiated.preferred_extensions = {one.uri: _meant(one.direction) for one in given}

    def getNegotiatedHeaderExtensions(self) -> list[RTCRtpHeaderExtensionCapability]:
        """All that are implemented, each with the direction that was agreed on."""
        agreed = {one.uri: one.direction or "sendrecv" for one in self._negotiated.extensions}
        return [
            RTCRtpHeaderExtensionCapability(uri=uri, direction=agreed.get(uri, "stopped"))
            for uri in EXTENSIONS[self._negotiated.kind]
        ]

    def __repr__(self) -> str:
        return f"<RTCRtpTransceiver {self._negotiated.kind} mid={self.mid!r} {self.direction}>"

    # Inside ----------------------------------------------------------------------------------------

    def _stop_sending_and_receiving(self, *, is_silent: bool = False) -> None:
        self._negotiated.stop_sending_and_receiving()
        if not is_silent:
            self._receiver._end_track()


def _said(direction: str) -> str:
    return "stopped" if direction == "inactive" else direction


def _meant(direction: str | None) -> TransceiverDirection:
    return cast("TransceiverDirection", "inactive" if direction in (None, "stopped") else direction)
