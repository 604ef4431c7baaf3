"""RTCDataChannel (W3C WebRTC, section 6.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Self

from peerline.errors import InvalidStateError, OperationError
from peerline.events import Event, EventHandler, EventTarget, fire
from peerline.webrtc.blob import Blob, bytes_of
from peerline.webrtc.events import MessageEvent
from peerline.webrtc.rtc_error import RTCError, RTCErrorEvent
from peerline.webrtc.webidl import dom_string, unsigned_long

if TYPE_CHECKING:
    from peerline.webrtc.data_channels import DataChannels, RTCDataChannelInit

# What may be queued on one channel, in bytes; as in Chromium.
MAX_BUFFERED = 16 * 1024 * 1024
# `send_when_ready` waits while more than this is queued.
HIGH_WATER = 1024 * 1024


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

    @classmethod
    def _made(cls, channels: DataChannels, label: str, init: RTCDataChannelInit) -> RTCDataChannel:
        made = cls.__new__(cls)
        made._channels = channels
        made._label = label
        made._init = init
        made._id = init.id if init.negotiated else None
        made._state = "connecting"
        made._buffered = 0
        made._low = 0
        made._binary_type = "arraybuffer"
        made._token = None
        made._send_text = made._send_bytes = None
        made._early = []
        return made

    _channels: DataChannels
    _label: str
    _init: RTCDataChannelInit
    _state: str
    _buffered: int
    _low: int
    _binary_type: str
    _id: int | None
    _token: int | None
    _send_text: Any
    _send_bytes: Any
    _early: list[Any] | None
    """What came before open has fired."""

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
        self._low = unsigned_long(value, "bufferedAmountLowThreshold")

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
        `RTCSctpTransport.maxMessageSize`, OperationError if more than 16 MiB would be queued.
        """
        if self._state != "open":
            raise InvalidStateError(f"the channel is {self._state}")
        if type(data) is bytes:
            size = len(data)
            self._check(size)
            self._buffered += size
            self._send_bytes(self._token, data)
        elif isinstance(data, str):
            try:
                size = len(data) if data.isascii() else len(data.encode())
            except UnicodeEncodeError:  # a lone surrogate
                data = data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                size = len(data.encode())
            self._check(size)
            self._buffered += size
            self._send_text(self._token, data)
        elif data is None or isinstance(data, bool | int | float):
            self.send(dom_string(data, "data"))
        else:
            whole = bytes_of(data)
            self._check(len(whole))
            self._buffered += len(whole)
            self._send_bytes(self._token, bytes(whole))

    def close(self) -> None:
        """What is queued goes first. Twice is fine."""
        self._channels._close(self)

    # Comfort -------------------------------------------------------------------------------------

    async def opened(self) -> Self:
        """Wait until it is open. Raises InvalidStateError if it closes before."""
        await self._until(lambda: self._state != "connecting", "open", "close")
        if self._state != "open":
            raise InvalidStateError(f"the channel is {self._state}")
        return self

    async def send_when_ready(self, data: Any) -> None:
        """Send once less than a mebibyte is queued: whoever awaits this fills no memory."""
        while self._buffered > HIGH_WATER and self._state == "open":
            await self._channels._drained(self)
        self.send(data)

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Messages from now on, until it is closed."""
        messages: asyncio.Queue[Any] = asyncio.Queue()
        end = object()

        def on_message(event: Any) -> None:
            messages.put_nowait(event.data)

        def on_close(_: Event) -> None:
            messages.put_nowait(end)

        if self._state == "closed":
            return
        self.addEventListener("message", on_message)
        self.addEventListener("close", on_close)
        try:
            while (message := await messages.get()) is not end:
                yield message
        finally:
            self.removeEventListener("message", on_message)
            self.removeEventListener("close", on_close)

    async def __aenter__(self) -> Self:
        return await self.opened()

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await self._until(lambda: self._state == "closed", "close")

    def __repr__(self) -> str:
        return f"<RTCDataChannel {self._label!r} {self._state}>"

    # Inside --------------------------------------------------------------------------------------

    async def _until(self, is_so: Any, *events: str) -> None:
        happened = asyncio.Event()

        def see(_: Event) -> None:
            happened.set()

        for name in events:
            self.addEventListener(name, see)
        try:
            while not is_so():
                happened.clear()
                await happened.wait()
        finally:
            for name in events:
                self.removeEventListener(name, see)

    def _check(self, size: int) -> None:
        limit = self._channels.max_message_size
        if size > limit:
            raise TypeError(f"the message has {size} bytes; the other side takes {limit} at most")
        if self._buffered + size > MAX_BUFFERED:
            raise OperationError("too much is queued on the channel", hint="Wait for bufferedamountlow.")

    def _open(self) -> None:
        """In a task: it can be used."""
        if self._state not in ("connecting", "open") or self._early is None:
            return
        self._state = "open"
        fire(self, Event("open"))
        early, self._early = self._early, None
        for message in early:
            self._receive(message)

    def _receive(self, message: Any) -> None:
        if self._early is not None:
            self._early.append(message)
        elif self._state == "open":
            if self._binary_type == "blob" and type(message) is bytes:
                message = Blob([message])
            fire(self, MessageEvent.of(message))

    def _sent(self, amount: int) -> None:
        before, self._buffered = self._buffered, max(0, self._buffered - amount)
        if before > self._low >= self._buffered:
            fire(self, Event("bufferedamountlow"))

    def _closing(self) -> None:
        if self._state in ("connecting", "open"):
            self._state = "closing"
            fire(self, Event("closing"))

    def _closed(self, error: str | None) -> None:
        if self._state == "closed":
            return
        self._state = "closed"
        if error is not None:
            detail = "sctp-failure" if "association" in error else "data-channel-failure"
            fire(self, RTCErrorEvent("error", {"error": RTCError({"errorDetail": detail}, error)}))
        fire(self, Event("close"))
