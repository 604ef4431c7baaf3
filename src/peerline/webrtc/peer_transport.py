"""One data path of a peer connection: an engine transport with its W3C objects (W3C WebRTC, sections 5.5, 5.6, 6.1).

A path carries one BUNDLE group, or one media section alone. The peer connection negotiates and commands; this file
knows no SDP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from peerline.webrtc.certificate import RTCCertificate
    from peerline.webrtc.configuration import RTCConfiguration
    from peerline.webrtc.dtls_transport import RTCDtlsTransport
    from peerline.webrtc.ice_candidate import RTCIceCandidate
    from peerline.webrtc.ice_transport import RTCIceTransport
    from peerline.webrtc.sctp_transport import RTCSctpTransport
    from peerline.webrtc.tuning import Tuning

    from peerline.webrtc.data_channels import DataChannels
    from peerline.webrtc.transport_owner import TransportOwner


class IceCredentials(NamedTuple):
    """a=ice-ufrag and a=ice-pwd of one generation."""

    ufrag: str
    password: str


class PeerTransport:
    """Made when a description needs it; no loop has to run, and there are no sockets, before `gather`.

    `mid` and `line_index` are those of the media section that speaks for it (the BUNDLE tag): the owner sets them
    before `gather` and whenever they change; candidates carry them.
    """

    mid: str | None
    line_index: int | None

    ice: RTCIceTransport
    """Always the same object."""
    dtls: RTCDtlsTransport
    """Always the same object."""
    sctp: RTCSctpTransport | None
    """None until `start_sctp`."""

    def __init__(
        self, owner: TransportOwner, configuration: RTCConfiguration, certificate: RTCCertificate, tuning: Tuning
    ) -> None: ...

    # ICE -------------------------------------------------------------------------------------------

    @property
    def credentials(self) -> IceCredentials:
        """Ours, of the generation that the local description speaks of (the one of a restart under way included)."""

    def set_configuration(self, configuration: RTCConfiguration) -> None:
        """Servers and policy for the next generation of candidates."""

    def set_controlling(self, is_controlling: bool) -> None:
        """Our role in ICE: the offerer of the first description controls. To be said before `gather`."""

    def gather(self) -> None:
        """Begin a generation of candidates; nothing if the current one has begun already.

        Host candidates do not wait for the names or answers of servers. Raises LoopError if no loop runs.
        """

    def set_remote_credentials(self, ufrag: str, password: str) -> None:
        """Of the remote description, as often as one is set. Other than before means that the other side restarts: they
        are kept, with the candidates that belong to them, until `restart` of ours."""

    def add_remote_candidate(self, candidate: RTCIceCandidate) -> None:
        """Of a description or of addIceCandidate, in either generation (`usernameFragment`; None: the newest).

        A name (….local) is looked up meanwhile and dropped if nobody answers. `candidate == ""` ends the generation.
        """

    @staticmethod
    def new_credentials() -> IceCredentials:
        """For a restart that createOffer or createAnswer proposes; nothing is changed by them."""

    def restart(self, credentials: IceCredentials) -> None:
        """A local description with new credentials was set: a new generation; `gather` follows."""

    def abort_restart(self) -> None:
        """The description that restarted was rolled back: the generation before goes on."""

    # DTLS ------------------------------------------------------------------------------------------

    @property
    def certificate(self) -> RTCCertificate:
        """Ours."""

    def start_dtls(self, is_client: bool, fingerprints: Sequence[str]) -> None:
        """The answer is there: `fingerprints` as in a=fingerprint ("sha-256 AB:CD:…"). Twice is fine.

        Raises InvalidAccessError if none of them is of a known kind.
        """

    # SCTP ------------------------------------------------------------------------------------------

    def start_sctp(
        self, channels: DataChannels, local_port: int, remote_port: int, remote_max_message_size: int | None
    ) -> RTCSctpTransport:
        """The answer has data channels: they use this path from now on. `remote_max_message_size` as in the remote
        description: None if it says nothing, 0 if it has no limit. Called again it sets that size alone."""

    # The whole -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close all, with no event (the connection's own close). Twice is fine."""

    def end(self) -> None:
        """No section uses it any more (BUNDLE took them): close all; its objects fire their events to the end."""
