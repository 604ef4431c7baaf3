"""RTCPeerConnection (W3C WebRTC 4.4): the object itself. What it does stands in the files it is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from peerline.errors import InvalidAccessError, NetworkError
from peerline.eventloop import Promise, queue_task
from peerline.events import EventHandler
from peerline.media import MediaStreamTrack
from peerline.webidl import interface, nullable
from peerline.webrtc.certificate import RTCCertificate, check_algorithm
from peerline.webrtc.configuration import RTCConfiguration, check_configuration
from peerline.webrtc.peer_connection_base import started
from peerline.webrtc.peer_connection_descriptions import DescriptionMethods
from peerline.webrtc.peer_connection_legacy import StreamMethods
from peerline.webrtc.peer_connection_tracks import TrackMethods
from peerline.webrtc.rtp_receiver import RTCRtpReceiver
from peerline.webrtc.rtp_sender import RTCRtpSender

if TYPE_CHECKING:
    from peerline.webrtc.data_channel import RTCDataChannel
    from peerline.webrtc.peer_connection_states import (
        RTCIceConnectionState,
        RTCIceGatheringState,
        RTCPeerConnectionState,
    )
    from peerline.webrtc.sctp_transport import RTCSctpTransport
    from peerline.webrtc.stats import RTCStatsReport

__all__ = ["RTCPeerConnection"]


class RTCPeerConnection(StreamMethods, TrackMethods, DescriptionMethods):
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

        return started(start, what)

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

        return started(start, what)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.signalingState}, {self.connectionState}>"
