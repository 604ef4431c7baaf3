"""RTCSctpTransport (W3C WebRTC, section 6.1)."""

from __future__ import annotations

import math

from peerline.events import EventHandler, EventTarget
from peerline.webrtc.dtls_transport import RTCDtlsTransport

# What is not said is this (RFC 8841, section 6.1).
UNSAID_MAX_MESSAGE_SIZE = 65536


class RTCSctpTransport(EventTarget):
    """What carries data channels. `RTCPeerConnection.sctp` gives it."""

    onstatechange = EventHandler("statechange")

    _transport: RTCDtlsTransport
    _state: str
    _max_message_size: float
    _max_channels: int | None

    def __init__(self) -> None:
        raise TypeError("RTCSctpTransport has no constructor: RTCPeerConnection.sctp gives it")

    @classmethod
    def _made(cls, transport: RTCDtlsTransport) -> RTCSctpTransport:
        made = cls.__new__(cls)
        made._transport, made._state = transport, "connecting"
        made._max_message_size, made._max_channels = UNSAID_MAX_MESSAGE_SIZE, None
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
    def maxMessageSize(self) -> float:
        """The largest message that can be sent, in bytes; infinity if the other side takes any."""
        return self._max_message_size

    @property
    def maxChannels(self) -> int | None:
        """How many channels there can be; None before it is connected."""
        return self._max_channels

    def _set_remote_max(self, said: int | None) -> None:
        """As a description says it: nothing, 0 for any size, or bytes."""
        size = UNSAID_MAX_MESSAGE_SIZE if said is None else said
        self._max_message_size = math.inf if size == 0 else size

    def __repr__(self) -> str:
        return f"<RTCSctpTransport {self._state}>"
