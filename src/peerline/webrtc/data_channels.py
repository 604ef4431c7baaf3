"""The data channels of one peer connection: their ids, their way to the engine (W3C WebRTC, section 6.1; RFC 8832)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peerline.webrtc.data_channel import RTCDataChannel

    from peerline.webrtc.transport_owner import TransportOwner


class DataChannels:
    """Made with the connection. `PeerTransport.start_sctp` gives them a path."""

    def __init__(self, owner: TransportOwner) -> None: ...

    def create(self, label: Any, init: Mapping[str, Any] | None = None, /, **members: Any) -> RTCDataChannel:
        """createDataChannel from its argument conversion on (the owner has checked that it is open).

        Raises TypeError and OperationError as the specification says.
        """

    @property
    def is_empty(self) -> bool:
        """Whether none was ever made here or announced: then no description needs a data section."""

    def close(self) -> None:
        """The connection is closed: every channel is closed at once, and no event fires."""
