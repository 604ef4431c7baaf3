"""RTCSctpTransport (W3C WebRTC, section 6.1)."""

from __future__ import annotations

from peerline.events import EventHandler, EventTarget
from peerline.webrtc.dtls_transport import RTCDtlsTransport

# What is not said is this (RFC 8841, section 6.1).
UNSAID_MAX_MESSAGE_SIZE = 65536
# What can be queued on a channel, and so the longest message that can be sent; as much as in Chromium.
CAN_SEND_SIZE = 16 * 1024 * 1024


class RTCSctpTransport(EventTarget):
    """What carries data channels. `RTCPeerConnection.sctp` gives it."""

    onstatechange = EventHandler("statechange")

    _transport: RTCDtlsTransport
    _state: str
    _max_message_size: float | None
    _max_buffer_size: float
    _max_channels: int | None

    def __init__(self) -> None:
        raise TypeError("RTCSctpTransport has no constructor: RTCPeerConnection.sctp gives it")

    @classmethod
    def _made(cls, transport: RTCDtlsTransport) -> RTCSctpTransport:
        made = cls.__new__(cls)
        made._transport, made._state = transport, "connecting"
        made._max_message_size = made._max_channels = None
        made._max_buffer_size = CAN_SEND_SIZE
        return made

    @property
    def transport(self) -> RTCDtlsTransport:
        """What it goes over."""
        return self._transport

    @property
    def state(self) -> str:
        """ "connecting", "connected" or "closed"."""
        return self._state

    @property
    def maxMessageSize(self) -> float | None:
        """The longest message that can be sent, in bytes; None before an answer has said it."""
        return self._max_message_size

    @property
    def maxChannels(self) -> int | None:
        """How many channels there can be; None before it is connected."""
        return self._max_channels

    def _set_remote_max(self, said: int | None) -> None:
        """As a description says it: nothing, 0 for any size, or bytes ("update the data max message size")."""
        remote = UNSAID_MAX_MESSAGE_SIZE if said is None else said
        self._max_message_size = min(remote, CAN_SEND_SIZE) if remote else CAN_SEND_SIZE
        self._max_buffer_size = max(remote, CAN_SEND_SIZE)

    def __repr__(self) -> str:
        return f"<RTCSctpTransport {self._state}>"
