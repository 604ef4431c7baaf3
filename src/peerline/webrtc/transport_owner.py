"""What a peer connection is told by its transports (W3C WebRTC, sections 4.4.1.3, 5.5 and 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from peerline.engine.media import ReceivedFrame
    from peerline.webrtc.data_channel import RTCDataChannel
    from peerline.webrtc.ice_candidate import RTCIceCandidate
    from peerline.webrtc.peer_transport import PeerTransport

FireEvents = Callable[[], object]


class TransportOwner(Protocol):
    """Every call comes in a task of its own (`queue_task`), and none once `is_closed` is true.

    Calls that return `FireEvents` come when the transport's attributes have changed and its own events have not fired:
    the owner computes its states now, and what it returns is called after the transport's events, to fire the owner's.
    """

    @property
    def is_closed(self) -> bool:
        """The connection's [[IsClosed]]: tasks that find it true do nothing."""
        ...

    def transport_changed(self, transport: PeerTransport) -> FireEvents:
        """The state of ICE (`transport.ice.state`) or of DTLS (`transport.dtls.state`) is another one.

        Compute iceConnectionState and connectionState; fire iceconnectionstatechange, then connectionstatechange.
        """
        ...

    def gathering_changed(self, transport: PeerTransport) -> FireEvents:
        """`transport.ice.gatheringState` is another one.

        Compute iceGatheringState; fire icegatheringstatechange and, if it is complete, icecandidate with None.
        """
        ...

    def candidate_found(self, transport: PeerTransport, candidate: RTCIceCandidate) -> None:
        """Add it to the local description that has its generation, and fire icecandidate with it.

        Its `usernameFragment` says which generation, `url` and `relayProtocol` which server. `candidate == ""`: that
        generation has no more (a=end-of-candidates); the state of gathering changes right after, in the same task.
        """
        ...

    def candidate_failed(self, transport: PeerTransport, address: str | None, port: int | None, url: str,
                         code: int, text: str) -> None:  # fmt: skip
        """Fire icecandidateerror: the server `url` gave nothing. `code` is that of STUN, or 701: it was not reached."""
        ...

    def channel_announced(self, channel: RTCDataChannel) -> None:
        """The other side has opened a channel: fire datachannel. It opens in a task after this one."""
        ...

    def source_started(self, section: int, ssrc: int) -> None:
        """The first packet of a source of that transceiver (by its number) has come: its track is unmuted."""
        ...

    def source_ended(self, section: int, ssrc: int) -> None:
        """It says goodbye: the track is muted."""
        ...

    def frames_received(self, section: int, frames: list[ReceivedFrame]) -> None:
        """Frames of a transceiver whose track somebody reads."""
        ...

    def key_frame_wanted(self, section: int) -> None:
        """The other side cannot show what this transceiver sends."""
        ...

    def loss_changed(self, section: int, percent: int) -> None:
        """Of a hundred packets of this transceiver so many are to be expected not to arrive."""
        ...

    def estimate_changed(self, transport: PeerTransport, bitrate_bps: int) -> None:
        """So much the path carries: encoders follow."""
        ...
