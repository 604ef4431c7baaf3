"""The half of RTCPeerConnection that sends and receives tracks (W3C WebRTC 5.1)."""

from __future__ import annotations

from typing import Any

from peerline.errors import InvalidAccessError
from peerline.jsep import Transceiver
from peerline.jsep.direction import sends
from peerline.media import MediaStream, MediaStreamTrack
from peerline.webidl import Dictionary, Member, dom_string, interface, sequence
from peerline.webrtc.encodings import checked_encodings
from peerline.webrtc.peer_connection_base import ConnectionBase
from peerline.webrtc.rtp_parameters import RTCRtpEncodingParameters, RTCRtpTransceiverDirection, dictionary
from peerline.webrtc.rtp_receiver import RTCRtpReceiver
from peerline.webrtc.rtp_sender import RTCRtpSender
from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver

__all__ = ["RTCRtpTransceiverInit", "TrackMethods"]


class RTCRtpTransceiverInit(Dictionary):
    """Options of addTransceiver."""

    direction = Member(RTCRtpTransceiverDirection, default=lambda: "sendrecv")
    streams = Member(sequence(interface(MediaStream)), default=list)
    sendEncodings = Member(sequence(dictionary(RTCRtpEncodingParameters)), default=list)


class TrackMethods(ConnectionBase):
    """addTrack, removeTrack, addTransceiver, and the lists."""

    def getSenders(self) -> list[RTCRtpSender]:
        """Those of all transceivers that are not stopped."""
        return [one._sender for one in self._transceivers if not one._negotiated.is_stopped]

    def getReceivers(self) -> list[RTCRtpReceiver]:
        """Those of all transceivers that are not stopped."""
        return [one._receiver for one in self._transceivers if not one._negotiated.is_stopped]

    def getTransceivers(self) -> list[RTCRtpTransceiver]:
        """All, in the order in which they were added."""
        return list(self._transceivers)

    def addTrack(self, track: MediaStreamTrack, *streams: MediaStream) -> RTCRtpSender:
        """Send a track, as part of these streams.

        Raises InvalidStateError once closed, InvalidAccessError if it is sent already.
        """
        track = interface(MediaStreamTrack)(track, "track")
        ids = self._media.ids_of([interface(MediaStream)(stream, "stream") for stream in streams])
        self._require_open()
        if any(sender.track is track for sender in self.getSenders()):
            raise InvalidAccessError("this track is sent already")
        for transceiver in self._transceivers:
            state = transceiver._negotiated
            is_fit = state.kind == track.kind and not state.is_stopping and not state.has_ever_sent
            if is_fit and transceiver._sender.track is None:
                transceiver._sender._set_track(track)
                state.stream_ids, state.has_had_add_track = ids, True
                state.direction = "sendrecv" if state.direction in ("sendrecv", "recvonly") else "sendonly"
                break
        else:
            state = Transceiver(track.kind, is_of_add_track=True, stream_ids=ids)  # type: ignore[arg-type]
            state.encodings = checked_encodings(state.kind, [])
            transceiver = self._media.add(state, track)
        self._update_negotiation_needed()
        return transceiver._sender

    def removeTrack(self, sender: RTCRtpSender) -> None:
        """Send it no more. The sender stays, without a track.

        Raises InvalidStateError once closed, InvalidAccessError for a sender of another connection.
        """
        sender = interface(RTCRtpSender)(sender, "sender")
        self._require_open()
        if sender._connection is not self:
            raise InvalidAccessError("this sender belongs to another connection")
        state = sender._negotiated
        if state.is_stopping or sender not in self.getSenders() or sender.track is None:
            return
        sender._set_track(None)
        if sends(state.direction):
            state.direction = "recvonly" if state.direction == "sendrecv" else "inactive"
        self._update_negotiation_needed()

    def addTransceiver(
        self, trackOrKind: MediaStreamTrack | str, init: Any = None, /, **members: Any
    ) -> RTCRtpTransceiver:
        """A new transceiver for a track, or for "audio" or "video".

        Options: `direction`, `streams`, `sendEncodings` (several, with a `rid` each: simulcast). Raises TypeError,
        RangeError, InvalidAccessError, OperationError for wrong ones, InvalidStateError once closed.
        """
        options = RTCRtpTransceiverInit(init, **members)
        track = trackOrKind if isinstance(trackOrKind, MediaStreamTrack) else None
        kind = track.kind if track is not None else dom_string(trackOrKind, "trackOrKind")
        if kind not in ("audio", "video"):
            raise TypeError(f'a transceiver is of "audio" or "video", not of {kind!r}')
        self._require_open()
        if options.direction == "stopped":
            raise TypeError("a transceiver does not begin stopped")
        ids = self._media.ids_of(options.streams)
        state = Transceiver(kind, options.direction, stream_ids=ids)  # type: ignore[arg-type]
        state.encodings = checked_encodings(state.kind, options.sendEncodings)
        transceiver = self._media.add(state, track)
        self._update_negotiation_needed()
        return transceiver
