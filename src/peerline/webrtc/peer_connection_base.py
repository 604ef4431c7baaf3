"""What all parts of RTCPeerConnection share: its slots, its chain of operations, its events (W3C WebRTC 4.4.1)."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from peerline.errors import InvalidStateError
from peerline.eventloop import Promise, promise
from peerline.events import Event, EventTarget, fire
from peerline.jobs.fork import Birthplace
from peerline.jsep import BundlePolicy, Credentials, RtcpMuxPolicy, Session, Settings
from peerline.jsep.record import Applied
from peerline.sdp import Fingerprint
from peerline.webrtc.certificate import RTCCertificate
from peerline.webrtc.configuration import RTCConfiguration, check_configuration
from peerline.webrtc.data_channels import DataChannels
from peerline.webrtc.negotiation import Negotiation
from peerline.webrtc.peer_connection_media import ConnectionMedia
from peerline.webrtc.peer_connection_transports import ConnectionTransports
from peerline.webrtc.peer_transport import PeerTransport
from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver
from peerline.webrtc.session_description import RTCSessionDescription
from peerline.webrtc.tuning import Tuning

if TYPE_CHECKING:
    from peerline.webrtc.rtp_receiver import RTCRtpReceiver
    from peerline.webrtc.rtp_sender import RTCRtpSender
    from peerline.webrtc.stats import RTCStatsReport

__all__ = ["ConnectionBase", "started"]

T = TypeVar("T")

# Never changed: setConfiguration puts another in its place.
_DEFAULT_CONFIGURATION = RTCConfiguration()
_DEFAULT_TUNING = Tuning()


class _Randomness:
    """See `peerline.jsep.transport.Randomness`."""

    def credentials(self) -> Credentials:
        return Credentials(*PeerTransport.new_credentials())

    def token(self) -> str:
        return secrets.token_hex(16)

    def ssrc(self) -> int:
        return secrets.randbelow(2**32 - 1) + 1


class ConnectionBase(EventTarget):
    """The slots of a connection, and what its parts do with each other. See RTCPeerConnection."""

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
        if configuration is None and not members:
            self._configuration = _DEFAULT_CONFIGURATION
        else:
            self._configuration = RTCConfiguration(configuration, **members)
            check_configuration(self._configuration, None)
        self._tuning = tuning or _DEFAULT_TUNING
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
        """As it is now. The same object until a candidate comes to it, as in browsers: who has asked keeps a copy."""
        if applied is None:
            return None
        face, text = self._descriptions.get(applied), applied.text
        if face is None or face.sdp != text:
            alive = set(self._session.applied)
            self._descriptions = {key: known for key, known in self._descriptions.items() if key in alive}
            face = self._descriptions[applied] = RTCSessionDescription(type=applied.type, sdp=text)
        return face

    def _during_parameters(self, outcome: Promise[Any]) -> None:
        """setParameters is under way: descriptions are applied after it."""
        self._unsettled.add(outcome)
        outcome.watch(lambda: self._unsettled.discard(outcome))

    def _has_unsettled_parameters(self) -> bool:
        return any(not outcome.is_settled for outcome in self._unsettled)

    def _collect_stats(self, selector: RTCRtpSender | RTCRtpReceiver | None) -> Promise[RTCStatsReport]:
        from peerline.webrtc.stats import collect

        return promise(collect(self, selector), "RTCPeerConnection.getStats")

    def _wake_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.resolve(None)


def started(start: Callable[[], Promise[T]], what: str) -> Promise[T]:
    """Methods that return promises reject them; they do not raise (Web IDL, section 3.7.7)."""
    try:
        return start()
    except Exception as error:
        return Promise.rejected(error, what)
