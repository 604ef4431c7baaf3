"""RTCDataChannel (W3C WebRTC, section 6.2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from peerline.errors import InvalidStateError, OperationError
from peerline.events import Event, EventHandler, EventTarget, fire
from peerline.events.event import TRUSTED, time_stamp
from peerline.webrtc.blob import Blob, bytes_of
from peerline.webrtc.channel_messages import ChannelMessages, KeptMessages, Readers
from peerline.webrtc.events import MessageEvent
from peerline.webrtc.rtc_error import RTCError, RTCErrorEvent
from peerline.webrtc.webidl import dom_string, unsigned_long_enforced, usv_string

if TYPE_CHECKING:
    from peerline.webrtc.data_channels import DataChannels, RTCDataChannelInit

# `send_when_ready` waits while more than the first is queued, until no more than the second is.
HIGH_WATER = 1024 * 1024
LOW_WATER = 256 * 1024
# What all channels of a connection may have queued, in bytes.
MAX_BUFFERED_IN_ALL = 64 * 1024 * 1024

_new_event = MessageEvent.__new__


class RTCDataChannel(EventTarget):
    """Messages to and from the other side. `RTCPeerConnection.createDataChannel` and `datachannel` events give one."""

    onopen = EventHandler("open")
    onmessage = EventHandler("message")
    onbufferedamountlow = EventHandler("bufferedamountlow")
    onerror = EventHandler("error")
    onclosing = EventHandler("closing")
    onclose = EventHandler("close")

    def __init__(self) -> None:
        raise TypeError("RTCDataChannel has no constructor: createDataChannel makes one")

    # Plain attributes for what every message asks for.
    _channels: DataChannels
    _label: str
    _init: RTCDataChannelInit
    _id: int | None
    _token: int | None
    _state: str
    _is_announced: bool
    _buffered: int
    _low: int
    _binary_type: str
    _send_text: Any
    _send_bytes: Any
    _readers: Readers
    _kept: KeptMessages
    _drained: asyncio.Future[None] | None
    _changed: asyncio.Future[None] | None

    @classmethod
    def _made(cls, channels: DataChannels, label: str, init: RTCDataChannelInit) -> RTCDataChannel:
        made = cls.__new__(cls)
        made._channels, made._label, made._init = channels, label, init
        made._id = init.id if init.negotiated else None
        made._token = made._send_text = made._send_bytes = made._drained = made._changed = None
        made._state, made._is_announced = "connecting", False
        made._buffered = made._low = 0
        made._binary_type = "arraybuffer"
        made._readers, made._kept = Readers(), KeptMessages(channels.kept)
        return made

    @property
    def label(self) -> str:
        """Its name; several may have the same."""
        return self._label

    @property
    def ordered(self) -> bool:
        """Whether messages arrive in order."""
        return self._init.ordered

    @property
    def maxPacketLifeTime(self) -> int | None:
        """For how many milliseconds a message is sent again; None: as long as needed."""
        return self._init.get("maxPacketLifeTime")

    @property
    def maxRetransmits(self) -> int | None:
        """How often a message is sent again; None: as often as needed."""
        return self._init.get("maxRetransmits")

    @property
    def protocol(self) -> str:
        """What the application speaks over it."""
        return self._init.protocol

    @property
    def negotiated(self) -> bool:
        """Whether both applications agreed on its id."""
        return self._init.negotiated

    @property
    def id(self) -> int | None:
        """The stream it uses; None before that is known."""
        return self._id

    @property
    def priority(self) -> str:
        """ "very-low", "low", "medium" or "high"."""
        return self._init.priority

    @property
    def readyState(self) -> str:
        """ "connecting", "open", "closing" or "closed"."""
        return self._state

    @property
    def bufferedAmount(self) -> int:
        """Bytes that were given to `send` and have not left yet; it does not fall to 0 when the channel closes."""
        return self._buffered

    @property
    def bufferedAmountLowThreshold(self) -> int:
        """`bufferedamountlow` fires when `bufferedAmount` falls to this from above."""
        return self._low

    @bufferedAmountLowThreshold.setter
    def bufferedAmountLowThreshold(self, value: Any) -> None:
        self._low = unsigned_long_enforced(value, "bufferedAmountLowThreshold")

    @property
    def binaryType(self) -> str:
        """What bytes arrive as: "arraybuffer" (bytes) or "blob". Other values are ignored, as in a browser."""
        return self._binary_type

    @binaryType.setter
    def binaryType(self, value: Any) -> None:
        text = dom_string(value, "binaryType")
        if text in ("arraybuffer", "blob"):
            self._binary_type = text

    def send(self, data: Any) -> None:
        """Queue a message: str, bytes, bytearray, memoryview, array, numpy array or Blob.

        Raises InvalidStateError unless it is open, TypeError for other types and for messages larger than
        `RTCSctpTransport.maxMessageSize`, OperationError if more would be queued than there is room for (16 MiB).
        """
        if self._state != "open":
            raise InvalidStateError(f"the channel is {self._state}")
        if type(data) is bytes:
            give = self._send_bytes
            size = len(data)
        elif isinstance(data, str):
            give = self._send_text
            if data.isascii():
                size = len(data)
            else:
                data = usv_string(data, "data")
                size = len(data.encode())
        elif isinstance(data, bool | int | float):
            self.send(dom_string(data, "data"))
            return
        else:
            give, data = self._send_bytes, bytes_of(data)
            size = len(data)
        channels = self._channels
        if size > channels.max_message_size:
            raise TypeError(
                f"the message has {size:,} bytes; the other side takes {channels.max_message_size:,} at most"
            )
        if self._buffered + size > channels.max_buffered or channels.buffered + size > MAX_BUFFERED_IN_ALL:
            raise OperationError(
                f"{self._buffered:,} bytes are queued already",
                hint="Wait for bufferedamountlow, or use send_when_ready.",
            )
        self._buffered += size
        channels.buffered += size
        give(self._token, data)

    def close(self) -> None:
        """What is queued goes first. Twice is fine."""
        if self._state in ("connecting", "open"):
            self._state = "closing"
            self._channels._close(self)

    # Comfort -------------------------------------------------------------------------------------

    async def opened(self) -> Self:
        """Wait until it is open. Raises InvalidStateError if it closes before."""
        while self._state == "connecting":
            await self._change()
        if self._state != "open":
            raise InvalidStateError(f"the channel is {self._state}")
        return self

    async def send_when_ready(self, data: Any) -> None:
        """Send once less than a mebibyte is queued: whoever awaits this fills no memory. Raises as `send` does."""
        while self._buffered > HIGH_WATER and self._state == "open":
            if self._drained is None:
                self._drained = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._drained)
        self.send(data)

    def __aiter__(self) -> ChannelMessages:
        """Messages, until it is closed: also those that came while nobody listened, up to 4 MiB."""
        reader = ChannelMessages(self, self._kept.take())
        self._readers.add(reader)
        return reader

    async def __aenter__(self) -> Self:
        return await self.opened()

    async def __aexit__(self, *_: object) -> None:
        self.close()
        while self._state != "closed":
            await self._change()

    def __repr__(self) -> str:
        return f"<RTCDataChannel {self._label!r} {self._state}>"

    # Inside: each of these runs in a task ----------------------------------------------------------

    def _announce_open(self) -> None:
        if self._state == "connecting" or (self._state == "open" and not self._is_announced):
            self._state, self._is_announced = "open", True
            self._wake_changed()
            fire(self, Event("open"))

    def _receive(self, messages: list[str | bytes]) -> None:
        """Each is a task of its own: nothing that was queued before any of them stands between them."""
        if self._state != "open":
            return
        if self._readers:
            self._readers.give(messages)
        if not self._is_heard("message"):
            if not self._readers:
                self._kept.add(messages)
            return
        now = time_stamp()
        for message in messages:
            if self._state != "open":
                return
            # As MessageEvent.of, without its call: this runs for every message.
            event = _new_event(MessageEvent)
            event._type = "message"
            event._flags = TRUSTED
            event._more = None
            event._time_stamp = now
            event._data = message if self._binary_type != "blob" else self._shown(message)
            self._dispatch(event)

    def _sent(self, amount: int) -> None:
        before = self._buffered
        self._buffered = after = max(0, before - amount)
        if after <= LOW_WATER and self._drained is not None:
            self._wake_senders()
        if before > self._low >= after:
            fire(self, Event("bufferedamountlow"))

    def _announce_closing(self) -> None:
        if self._state in ("connecting", "open"):
            self._state = "closing"
            self._wake_changed()
            fire(self, Event("closing"))

    def _announce_closed(self, detail: str | None, message: str = "") -> None:
        if self._state == "closed":
            return
        self._end()
        if detail is not None:
            fire(self, RTCErrorEvent("error", {"error": RTCError({"errorDetail": detail}, message)}))
        fire(self, Event("close"))

    def _end(self) -> None:
        """Without an event: the connection was closed."""
        self._state = "closed"
        self._wake_changed()
        self._wake_senders()
        self._readers.wake()

    def _shown(self, message: str | bytes) -> Any:
        return Blob([message]) if self._binary_type == "blob" and not isinstance(message, str) else message

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    def _wake_changed(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None and not changed.done():
            changed.set_result(None)

    def _wake_senders(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
