"""RTCRtpSender (W3C WebRTC 5.2)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from peerline.errors import InvalidModificationError, InvalidStateError
from peerline.eventloop import Promise, queue_task
from peerline.jobs import running_jobs
from peerline.jsep import Transceiver
from peerline.jsep.direction import sends
from peerline.media import MediaStream, MediaStreamTrack
from peerline.webidl import interface, nullable
from peerline.webrtc.bitrate import sending_limit
from peerline.webrtc.capabilities import codecs_for, get_capabilities
from peerline.webrtc.dtmf import RTCDTMFSender
from peerline.webrtc.encodings import checked_changes
from peerline.webrtc.rtp_parameters import (
    RTCRtpCapabilities,
    RTCRtpSendParameters,
    RTCSetParameterOptions,
    codec_dictionary,
)
from peerline.webrtc.sending import Sending

if TYPE_CHECKING:
    from peerline.sdp import MediaSection
    from peerline.webrtc.dtls_transport import RTCDtlsTransport
    from peerline.webrtc.peer_connection_base import ConnectionBase
    from peerline.webrtc.peer_transport import PeerTransport
    from peerline.webrtc.stats import RTCStatsReport

__all__ = ["RTCRtpSender"]


class RTCRtpSender:
    """Sends one track, or none. Made with its transceiver."""

    _connection: ConnectionBase
    _negotiated: Transceiver
    _track: MediaStreamTrack | None
    _transport: RTCDtlsTransport | None
    _dtmf: RTCDTMFSender | None
    _returned: RTCRtpSendParameters | None  # [[LastReturnedParameters]]
    _returned_revision: int
    _degradation: str | None
    _unsettled: list[Promise[None]]  # of setParameters
    _number: int  # of its section, for the packet core
    _sending: Sending | None  # while something is sent

    def __init__(self) -> None:
        raise TypeError("RTCRtpSender has no constructor: addTrack and addTransceiver make one")

    @classmethod
    def _made(
        cls, connection: ConnectionBase, negotiated: Transceiver, track: MediaStreamTrack | None, number: int
    ) -> RTCRtpSender:
        made = cls.__new__(cls)
        made._connection, made._negotiated = connection, negotiated
        made._number = number
        made._transport = None
        made._sending = None
        made._track = None
        made._returned, made._returned_revision = None, 0
        made._degradation = None
        made._set_track(track)
        made._dtmf = RTCDTMFSender._made(made) if negotiated.kind == "audio" else None
        return made

    @property
    def track(self) -> MediaStreamTrack | None:
        """What is sent."""
        return self._track

    @property
    def transport(self) -> RTCDtlsTransport | None:
        """Where it goes; None before a description says so."""
        return self._transport

    @property
    def rtcpTransport(self) -> None:
        """An old attribute: RTCP has no transport of its own."""
        return

    @property
    def dtmf(self) -> RTCDTMFSender | None:
        """The keys of a telephone; None for video."""
        return self._dtmf

    @staticmethod
    def getCapabilities(kind: str) -> RTCRtpCapabilities | None:
        """The codecs and header extensions that can be sent; None for what is neither "audio" nor "video"."""
        return get_capabilities(kind)

    def getParameters(self) -> RTCRtpSendParameters:
        """How it sends now. Change `encodings` and give it to setParameters before the next task runs."""
        state = self._negotiated
        if self._returned is None or self._returned_revision != state.sender_revision:
            members: dict[str, Any] = {
                "transactionId": str(uuid.uuid4()),
                "encodings": state.encodings,
                "headerExtensions": [
                    {"uri": one.uri, "id": one.id} for one in state.extensions if sends(one.direction or "sendrecv")
                ],
                "rtcp": {"cname": self._connection._session.settings.cname, "reducedSize": state.is_rtcp_reduced_size},
                "codecs": [codec_dictionary(state.kind, codec, has_payload_type=True) for codec in state.send_codecs],
            }
            if self._degradation is not None:
                members["degradationPreference"] = self._degradation
            self._returned, self._returned_revision = RTCRtpSendParameters(members), state.sender_revision
            if running_jobs() is not None:
                queue_task("networking", self._forget, self._returned)
        return RTCRtpSendParameters(self._returned)

    def setParameters(self, parameters: Any, setParameterOptions: Any = None) -> Promise[None]:
        """Change how it sends, without negotiation; `encodingOptions=[{"keyFrame": True}]` asks for a key frame now.

        Rejected with InvalidStateError (stopped, or the parameters are not of this task), InvalidModificationError
        (something changed that must not), RangeError, TypeError.
        """
        what = "RTCRtpSender.setParameters"
        try:
            given = RTCRtpSendParameters(parameters)
            options = RTCSetParameterOptions(setParameterOptions).encodingOptions
            encodings = self._checked(given)
            if options and len(options) != len(encodings):
                raise InvalidModificationError("encodingOptions has one entry for each encoding")
        except Exception as error:
            return Promise.rejected(error, what)
        outcome: Promise[None] = Promise(what)

        def change() -> None:
            self._returned = None
            # Negotiation may have narrowed them meanwhile: rids that went do not come back.
            if len(encodings) == len(self._negotiated.encodings):
                self._negotiated.encodings = list(encodings)
            self._degradation = given.degradationPreference
            self._connection._transports.commit_media()
            if any(one.keyFrame for one in options):
                self._request_key_frame()
            outcome.resolve(None)

        self._connection._during_parameters(outcome)
        queue_task("networking", change)
        return outcome

    def replaceTrack(self, withTrack: Any) -> Promise[None]:
        """Send another track, or None, without negotiation. Rejected with TypeError for a track of the other kind."""
        what = "RTCRtpSender.replaceTrack"
        try:
            track = nullable(interface(MediaStreamTrack))(withTrack, "withTrack")
            if track is not None and track.kind != self._negotiated.kind:
                raise TypeError(f"a sender of {self._negotiated.kind} cannot send {track.kind}")
        except TypeError as error:
            return Promise.rejected(error, what)

        def operation() -> Promise[None]:
            if self._negotiated.is_stopping:
                raise InvalidStateError("the transceiver of this sender is stopped")
            outcome: Promise[None] = Promise(what)

            def replace() -> None:
                if not self._connection._is_closed:
                    self._set_track(track)
                    outcome.resolve(None)

            queue_task("networking", replace)
            return outcome

        return self._connection._chain(operation, what)

    def setStreams(self, *streams: MediaStream) -> None:
        """Say which streams the track belongs to: the other side sees it after the next negotiation."""
        given = [interface(MediaStream)(stream, "stream") for stream in streams]
        self._connection._require_open()
        self._negotiated.stream_ids = self._connection._media.ids_of(given)
        self._connection._update_negotiation_needed()

    def getStats(self) -> Promise[RTCStatsReport]:
        """Figures of this sender."""
        return self._connection._collect_stats(self)

    def __repr__(self) -> str:
        return f"<RTCRtpSender {self._negotiated.kind} mid={self._negotiated.mid!r} track={self._track!r}>"

    # Inside ----------------------------------------------------------------------------------------

    def _set_track(self, track: MediaStreamTrack | None) -> None:
        if self._sending is not None:
            if self._track is not None:
                self._track.detach_sink(self._sending)
            if track is not None:
                track.attach_sink(self._sending)
                if not self._sending.request_key_frame():
                    track.request_key_frame()
        self._track = track
        self._negotiated.has_track = track is not None

    @property
    def _is_active(self) -> bool:
        encodings = self._negotiated.encodings
        return bool(encodings) and any(one.get("active", True) for one in encodings)

    def _is_sending_on(self, path: PeerTransport) -> bool:
        return self._sending is not None and self._sending.transport is path

    def _commit(self, path: PeerTransport | None, remote: MediaSection | None) -> None:
        """Send, or no more, as descriptions and parameters say."""
        state = self._negotiated
        is_sent = (
            path is not None
            and not state.is_stopping
            and sends(state.current_direction or "inactive")
            and self._is_active
        )
        if self._sending is not None and (not is_sent or self._sending.transport is not path):
            if self._track is not None:
                self._track.detach_sink(self._sending)
            self._sending.close()
            self._sending = None
        if is_sent and path is not None:
            is_new = self._sending is None
            if self._sending is None:
                self._sending = Sending(self._number, path, state)
            self._sending.update(state.send_codecs, state.encodings[0], sending_limit(state.encodings, remote))
            if is_new and self._track is not None:
                self._track.attach_sink(self._sending)

    def _request_key_frame(self) -> None:
        if self._sending is not None and not self._sending.request_key_frame() and self._track is not None:
            self._track.request_key_frame()

    def _follow(self, bitrate_bps: int) -> None:
        if self._sending is not None:
            self._sending.follow(bitrate_bps)

    def _expect_loss(self, share: float) -> None:
        if self._sending is not None:
            self._sending.expect_loss(share)

    def _forget(self, returned: RTCRtpSendParameters) -> None:
        if self._returned is returned:
            self._returned = None

    def _checked(self, given: RTCRtpSendParameters) -> list[dict[str, Any]]:
        state, returned = self._negotiated, self._returned
        if state.is_stopping:
            raise InvalidStateError("the transceiver of this sender is stopped")
        if returned is None or self._returned_revision != state.sender_revision:
            raise InvalidStateError("these parameters are old", hint="Call getParameters again in the same task.")
        for name in ("transactionId", "headerExtensions", "rtcp", "codecs"):
            if given[name] != returned[name]:
                raise InvalidModificationError(f"{name} is not to be changed")
        choosable = returned.codecs or codecs_for(state.kind)
        return checked_changes(state.kind, returned.encodings, given.encodings, choosable)
