"""RTCPeerConnection (W3C WebRTC 4.4): the object itself. What it does stands in the files it delegates to."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from peerline.errors import InvalidAccessError, InvalidStateError, NetworkError
from peerline.eventloop import Promise, queue_task
from peerline.events import Event, EventHandler, fire
from peerline.jobs.fork import Birthplace
from peerline.jsep import BundlePolicy, Credentials, RtcpMuxPolicy, SdpType, Session, Settings, Transceiver
from peerline.jsep.direction import sends
from peerline.jsep.record import Applied
from peerline.media import MediaStream, MediaStreamTrack
from peerline.sdp import Fingerprint
from peerline.webidl import Dictionary, Member, boolean, dom_string, interface, nullable, sequence
from peerline.webrtc.certificate import RTCCertificate, check_algorithm
from peerline.webrtc.configuration import RTCConfiguration, check_configuration
from peerline.webrtc.data_channels import DataChannels
from peerline.webrtc.encodings import checked_encodings
from peerline.webrtc.negotiation import Negotiation
from peerline.webrtc.negotiation_candidates import add_ice_candidate
from peerline.webrtc.peer_connection_legacy import LegacyMethods, with_callbacks
from peerline.webrtc.peer_connection_media import ConnectionMedia
from peerline.webrtc.peer_connection_transports import ConnectionTransports
from peerline.webrtc.peer_transport import PeerTransport
from peerline.webrtc.rtp_parameters import RTCRtpEncodingParameters, RTCRtpTransceiverDirection, dictionary
from peerline.webrtc.rtp_receiver import RTCRtpReceiver
from peerline.webrtc.rtp_sender import RTCRtpSender
from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver
from peerline.webrtc.session_description import (
    RTCLocalSessionDescriptionInit,
    RTCSessionDescription,
    RTCSessionDescriptionInit,
)
from peerline.webrtc.tuning import Tuning

if TYPE_CHECKING:
    from peerline.webrtc.data_channel import RTCDataChannel
    from peerline.webrtc.sctp_transport import RTCSctpTransport
    from peerline.webrtc.stats import RTCStatsReport

    from peerline.webrtc.peer_connection_states import (
        RTCIceConnectionState,
        RTCIceGatheringState,
        RTCPeerConnectionState,
    )

__all__ = ["RTCPeerConnection", "RTCRtpTransceiverInit"]

T = TypeVar("T")


class _Randomness:
    """See `peerline.jsep.transport.Randomness`."""

    def credentials(self) -> Credentials:
        return Credentials(*PeerTransport.new_credentials())

    def token(self) -> str:
        return secrets.token_hex(16)

    def ssrc(self) -> int:
        return secrets.randbelow(2**32 - 1) + 1


class RTCOfferOptions(Dictionary):
    """Options of createOffer; the last two are old ones."""

    iceRestart = Member(boolean, default=bool)
    offerToReceiveAudio = Member(boolean)
    offerToReceiveVideo = Member(boolean)


class RTCRtpTransceiverInit(Dictionary):
    """Options of addTransceiver."""

    direction = Member(RTCRtpTransceiverDirection, default=lambda: "sendrecv")
    streams = Member(sequence(interface(MediaStream)), default=list)
    sendEncodings = Member(sequence(dictionary(RTCRtpEncodingParameters)), default=list)


class RTCPeerConnection(LegacyMethods):
    """A connection to another peer: `RTCPeerConnection({"iceServers": [{"urls": "stun:…"}]})`, or with keywords.

    `async with RTCPeerConnection() as pc:` closes it at the end. What W3C has no word for is `tuning`.
    """

    onnegotiationneeded = EventHandler()
    onicecandidate = EventHandler()
    onicecandidateerror = EventHandler()
    onsignalingstatechange = EventHandler()
    oniceconnectionstatechange = EventHandler()
    onicegatheringstatechange = EventHandler()
    onconnectionstatechange = EventHandler()
    ontrack = EventHandler()
    ondatachannel = EventHandler()

    def __init__(
        self,
        configuration: RTCConfiguration | Mapping[str, Any] | None = None,
        /,
        *,
        tuning: Tuning | None = None,
        **members: Any,
    ) -> None:
        if "configuration" in members:
            configuration = members.pop("configuration")
        self._configuration = RTCConfiguration(configuration, **members)
        check_configuration(self._configuration, None)
        self._tuning = tuning or Tuning()
        self._birthplace = Birthplace()
        self._is_closed = False
        settings = Settings(
            secrets.randbits(62),
            secrets.token_urlsafe(12),
            bundle_policy=cast("BundlePolicy", self._configuration.bundlePolicy),
            rtcp_mux_policy=cast("RtcpMuxPolicy", self._configuration.rtcpMuxPolicy),
            max_message_bytes=self._tuning.max_message_bytes,
        )
        self._session = Session(settings, _Randomness())
        self._negotiation = Negotiation(self)
        self._transports = ConnectionTransports(self)
        self._channels = DataChannels(self._transports)
        self._media = ConnectionMedia(self)
        self._descriptions: dict[Applied, RTCSessionDescription] = {}
        self._own_certificate: RTCCertificate | None = None
        self._unsettled: set[Promise[Any]] = set()
        self._waiting: list[Promise[None]] = []

    # Descriptions ----------------------------------------------------------------------------------

    def createOffer(self, *arguments: Any, **options: Any) -> Promise[Any]:
        """An offer of all transceivers and data channels, to be given to setLocalDescription.

        Options: `iceRestart`. Rejected with InvalidStateError unless the signaling state allows an offer.
        """
        if arguments and callable(arguments[0]):
            return with_callbacks(self.createOffer, arguments, 0)

        def start() -> Promise[RTCSessionDescriptionInit]:
            given = RTCOfferOptions(arguments[0] if arguments else None, **options)
            self._require_open()
            self._offer_to_receive(given)
            what = "RTCPeerConnection.createOffer"
            is_restart = given.iceRestart
            return self._chain(lambda: self._negotiation.create("offer", what, is_ice_restart=is_restart), what)

        return _started(start, "RTCPeerConnection.createOffer")

    def createAnswer(self, *arguments: Any) -> Promise[Any]:
        """An answer to the offer given to setRemoteDescription. Rejected with InvalidStateError without one."""
        if arguments and callable(arguments[0]):
            return with_callbacks(self.createAnswer, arguments, 0)
        what = "RTCPeerConnection.createAnswer"
        return self._chain(lambda: self._negotiation.create("answer", what), what)

    def setLocalDescription(self, *arguments: Any, **members: Any) -> Promise[None]:
        """Apply what createOffer or createAnswer made; without an argument, make it first. Candidates are looked for.

        Rejected with InvalidStateError, or InvalidModificationError if the text was edited.
        """
        if len(arguments) > 1 and callable(arguments[1]):
            return with_callbacks(self.setLocalDescription, arguments, 1)

        def start() -> Promise[None]:
            given = RTCLocalSessionDescriptionInit(arguments[0] if arguments else None, **members)
            kind, text = cast("SdpType | None", given.type), given.sdp
            return self._chain(lambda: self._negotiation.set_local(kind, text), "RTCPeerConnection.setLocalDescription")

        return _started(start, "RTCPeerConnection.setLocalDescription")

    def setRemoteDescription(self, *arguments: Any, **members: Any) -> Promise[None]:
        """Apply what the peer sent. An offer that meets one of our own takes ours back (glare).

        Rejected with InvalidStateError, InvalidAccessError for what does not fit, RTCError (`sdpLineNumber`) for what
        is no SDP.
        """
        if len(arguments) > 1 and callable(arguments[1]):
            return with_callbacks(self.setRemoteDescription, arguments, 1)

        def start() -> Promise[None]:
            if not arguments and not members:
                raise TypeError("setRemoteDescription needs a description")
            given = RTCSessionDescriptionInit(arguments[0] if arguments else None, **members)
            kind, text = cast("SdpType", given.type), given.sdp
            what = "RTCPeerConnection.setRemoteDescription"
            return self._chain(lambda: self._negotiation.set_remote(kind, text), what)

        return _started(start, "RTCPeerConnection.setRemoteDescription")

    def addIceCandidate(self, *arguments: Any, **members: Any) -> Promise[None]:
        """Tell of an address of the peer; an empty candidate, or none, says that there are no more.

        Rejected with TypeError if it does not say which section it is for, InvalidStateError before a remote
        description, OperationError for what is no candidate, or not one of this description.
        """
        if len(arguments) > 1 and callable(arguments[1]):
            return with_callbacks(self.addIceCandidate, arguments, 1)
        return _started(
            lambda: add_ice_candidate(self, arguments[0] if arguments else None, members),
            "RTCPeerConnection.addIceCandidate",
        )

    @property
    def localDescription(self) -> RTCSessionDescription | None:
        """The pending local description, else the current one."""
        return self._face(self._session.local)

    @property
    def currentLocalDescription(self) -> RTCSessionDescription | None:
        """The one that was agreed on last, with the candidates that were found since."""
        return self._face(self._session.current_local)

    @property
    def pendingLocalDescription(self) -> RTCSessionDescription | None:
        """The one that is being negotiated."""
        return self._face(self._session.pending_local)

    @property
    def remoteDescription(self) -> RTCSessionDescription | None:
        """The pending remote description, else the current one."""
        return self._face(self._session.remote)

    @property
    def currentRemoteDescription(self) -> RTCSessionDescription | None:
        """The one that was agreed on last, with the candidates of addIceCandidate."""
        return self._face(self._session.current_remote)

    @property
    def pendingRemoteDescription(self) -> RTCSessionDescription | None:
        """The one that is being negotiated."""
        return self._face(self._session.pending_remote)

    # States ----------------------------------------------------------------------------------------

    @property
    def signalingState(self) -> str:
        """ "stable", "closed", or "have-" and "local-" or "remote-" and "offer" or "pranswer": what is pending."""
        return self._session.signaling_state

    @property
    def iceGatheringState(self) -> RTCIceGatheringState:
        """ "new", "gathering" or "complete"."""
        return self._transports.ice_gathering

    @property
    def iceConnectionState(self) -> RTCIceConnectionState:
        """ "new", "checking", "connected", "completed", "disconnected", "failed" or "closed"."""
        return self._transports.ice_connection

    @property
    def connectionState(self) -> RTCPeerConnectionState:
        """ "new", "connecting", "connected", "disconnected", "failed" or "closed": ICE and DTLS together."""
        return self._transports.connection

    @property
    def canTrickleIceCandidates(self) -> bool | None:
        """Whether the peer takes candidates after its description; None before there is one."""
        return self._session.can_trickle

    async def connected(self) -> None:
        """Wait until `connectionState` is "connected"; "disconnected" may pass, and is waited for.

        Raises NetworkError once it has failed, InvalidStateError once it is closed.
        """
        while True:
            state = self.connectionState
            if state == "connected":
                return
            if state == "failed":
                raise NetworkError(
                    "the connection has failed",
                    hint="No way through was found, or the other side is gone: restartIce(), or a TURN server.",
                )
            self._require_open()
            waiter: Promise[None] = Promise("RTCPeerConnection.connected")
            self._waiting.append(waiter)
            await waiter

    # ICE and configuration -------------------------------------------------------------------------

    def restartIce(self) -> None:
        """Look for a way anew: negotiationneeded fires, and the next offer has other credentials."""
        self._session.restart_ice()
        self._update_negotiation_needed()

    def getConfiguration(self) -> RTCConfiguration:
        """A copy of the configuration."""
        return self._configuration.copy()

    def setConfiguration(self, configuration: Any = None, /, **members: Any) -> None:
        """Change servers and policy: they count from the next gathering on (restartIce).

        Raises InvalidStateError once closed, InvalidModificationError for what must stay, SyntaxError for a bad URL.
        """
        self._require_open()
        new = RTCConfiguration(configuration, **members)
        has_set = self._negotiation.has_set_local_description
        check_configuration(new, self._configuration, has_set_local_description=has_set)
        self._configuration = new
        self._transports.configure()

    @staticmethod
    def generateCertificate(keygenAlgorithm: Any) -> Promise[RTCCertificate]:
        """A certificate for connections: `{"name": "ECDSA", "namedCurve": "P-256"}`, `expires` in ms from now.

        Rejected with NotSupportedError for RSA and unknown curves, TypeError for what is no algorithm.
        """
        what = "RTCPeerConnection.generateCertificate"

        def start() -> Promise[RTCCertificate]:
            life_ms, curve = check_algorithm(keygenAlgorithm)
            made: Promise[RTCCertificate] = Promise(what)
            queue_task("networking", lambda: made.resolve(RTCCertificate.generated(life_ms, curve)))
            return made

        return _started(start, what)

    def close(self) -> None:
        """End everything at once. No event fires here; the other side sees its channels close. Twice is fine."""
        if self._is_closed:
            return
        self._is_closed = True
        self._session.signaling_state = "closed"
        for transceiver in self._transceivers:
            if not transceiver._negotiated.is_stopped:
                transceiver._stop_sending_and_receiving(is_silent=transceiver._negotiated.is_stopping)
                transceiver._negotiated.stop()
        self._channels.close()
        self._transports.close()
        self._wake_waiting()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    # Media -----------------------------------------------------------------------------------------

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

    # Data ------------------------------------------------------------------------------------------

    @property
    def sctp(self) -> RTCSctpTransport | None:
        """What data channels go through; None unless they are negotiated."""
        return self._transports.sctp

    def createDataChannel(self, label: Any, dataChannelDict: Any = None, /, **members: Any) -> RTCDataChannel:
        """A channel for messages: `ordered`, `maxRetransmits` or `maxPacketLifeTime` (ms), `protocol`, `negotiated`
        with `id`. Raises InvalidStateError once closed, TypeError and OperationError for wrong options."""
        self._require_open()
        channel = self._channels.create(label, dataChannelDict, **members)
        if not self._session.wants_data:
            self._session.wants_data = True
            self._update_negotiation_needed()
        return channel

    # Statistics ------------------------------------------------------------------------------------

    def getStats(self, selector: Any = None) -> Promise[RTCStatsReport]:
        """Figures of the connection, or of the one sender or receiver of a track.

        Rejected with InvalidAccessError if none or several have that track.
        """
        what = "RTCPeerConnection.getStats"

        def start() -> Promise[RTCStatsReport]:
            track = nullable(interface(MediaStreamTrack))(selector, "selector")
            if track is None:
                return self._collect_stats(None)
            halves: list[RTCRtpSender | RTCRtpReceiver] = [*self.getSenders(), *self.getReceivers()]
            found = [half for half in halves if half.track is track]
            if len(found) != 1:
                raise InvalidAccessError(f"{len(found) or 'no'} senders and receivers have this track")
            return self._collect_stats(found[0])

        return _started(start, what)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.signalingState}, {self.connectionState}>"

    # Inside ----------------------------------------------------------------------------------------

    @property
    def _transceivers(self) -> list[RTCRtpTransceiver]:
        return self._media.transceivers

    @property
    def _certificate(self) -> RTCCertificate:
        if self._own_certificate is None:
            given = self._configuration.certificates
            self._own_certificate = given[0] if given else RTCCertificate.generated()
        return self._own_certificate

    def _have_certificate(self) -> None:
        """Descriptions name its fingerprint: it is made when the first is."""
        if not self._session.settings.fingerprints:
            fingerprint = Fingerprint("sha-256", self._certificate._core.fingerprint("sha-256"))
            self._session.settings = dataclasses.replace(self._session.settings, fingerprints=(fingerprint,))

    def _require_open(self) -> None:
        self._birthplace.check("this connection")
        if self._is_closed:
            raise InvalidStateError("the connection is closed")

    def _chain(self, operation: Callable[[], Promise[T]], what: str) -> Promise[T]:
        return self._negotiation.chain(operation, what)

    def _fire(self, event: Event) -> None:
        if not self._is_closed:
            fire(self, event)

    def _update_negotiation_needed(self) -> None:
        self._negotiation.update_needed()

    def _face(self, applied: Applied | None) -> RTCSessionDescription | None:
        if applied is None:
            return None
        face = self._descriptions.get(applied)
        if face is None:
            face = RTCSessionDescription(type=applied.type, sdp=str(applied.description))
            self._descriptions[applied] = face
        return face

    def _refresh_descriptions(self) -> None:
        """Those that the program has seen say what has changed in them."""
        if self._descriptions:
            alive = set(self._session.applied)
            self._descriptions = {key: face for key, face in self._descriptions.items() if key in alive}
            for applied, face in self._descriptions.items():
                face._sdp = str(applied.description)

    def _during_parameters(self, outcome: Promise[Any]) -> None:
        """setParameters is under way: descriptions are applied after it."""
        self._unsettled.add(outcome)
        outcome.watch(lambda: self._unsettled.discard(outcome))

    def _has_unsettled_parameters(self) -> bool:
        return any(not outcome.is_settled for outcome in self._unsettled)

    def _wake_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.resolve(None)

    def _collect_stats(self, selector: RTCRtpSender | RTCRtpReceiver | None) -> Promise[RTCStatsReport]:
        from peerline.webrtc.stats import collect

        from peerline.eventloop import promise

        return promise(collect(self, selector), "RTCPeerConnection.getStats")

    def _offer_to_receive(self, options: RTCOfferOptions) -> None:
        """W3C WebRTC 4.4.3.3, legacy configuration extensions."""
        for kind, wanted in (("audio", options.offerToReceiveAudio), ("video", options.offerToReceiveVideo)):
            alive = [
                one._negotiated
                for one in self._transceivers
                if one._negotiated.kind == kind and not one._negotiated.is_stopping
            ]
            if wanted is False:
                for state in alive:
                    if state.direction in ("sendrecv", "recvonly"):
                        state.direction = "sendonly" if state.direction == "sendrecv" else "inactive"
            elif wanted and not any(state.direction in ("sendrecv", "recvonly") for state in alive):
                state = Transceiver(kind, "recvonly")  # type: ignore[arg-type]
                state.encodings = checked_encodings(state.kind, [])
                self._media.add(state, None)


def _started(start: Callable[[], Promise[T]], what: str) -> Promise[T]:
    """Methods that return promises reject them; they do not raise (Web IDL, section 3.7.7)."""
    try:
        return start()
    except Exception as error:
        return Promise.rejected(error, what)
