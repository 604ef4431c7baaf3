"""The data channels of one peer connection: their ids, their way to the engine (W3C WebRTC, section 6.1; RFC 8832)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peerline.engine.transport import ChannelSettings
from peerline.errors import OperationError
from peerline.eventloop import queue_task
from peerline.webrtc.data_channel import HIGH_WATER, RTCDataChannel
from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.webidl import boolean, enumeration, unsigned_short_enforced, usv_string

if TYPE_CHECKING:
    from peerline.engine.transport import Transport
    from peerline.webrtc.peer_transport import PeerTransport
    from peerline.webrtc.transport_owner import TransportOwner

RTCPriorityType = enumeration("very-low", "low", "medium", "high")
MAX_NAME_BYTES = 65535
# Stream 65,535 does not exist (RFC 8832, section 6).
MAX_ID = 65534


class RTCDataChannelInit(Dictionary):
    """What a channel is like."""

    ordered = Member(boolean, default=lambda: True)
    maxPacketLifeTime = Member(unsigned_short_enforced)
    maxRetransmits = Member(unsigned_short_enforced)
    protocol = Member(usv_string, default=str)
    negotiated = Member(boolean, default=lambda: False)
    id = Member(unsigned_short_enforced)
    priority = Member(RTCPriorityType, default=lambda: "low")


class DataChannels:
    """Made with the connection. `PeerTransport.start_sctp` gives them a path."""

    def __init__(self, owner: TransportOwner) -> None:
        self._owner = owner
        self._transport: PeerTransport | None = None
        self._engine: Transport | None = None
        self._all: list[RTCDataChannel] = []
        self._by_token: dict[int, RTCDataChannel] = {}
        self._announced: dict[int, ChannelSettings] = {}
        self._waiting: dict[int, asyncio.Event] = {}
        self._was_used = False
        self.opened_count = 0
        self.closed_count = 0

    @property
    def channels(self) -> list[RTCDataChannel]:
        """Those that live."""
        return list(self._all)

    @property
    def is_empty(self) -> bool:
        """Whether none was ever made here or announced: then no description needs a data section."""
        return not self._was_used

    @property
    def max_message_size(self) -> float:
        """What the other side takes."""
        sctp = self._transport.sctp if self._transport is not None else None
        return sctp.maxMessageSize if sctp is not None else math.inf

    def create(self, label: Any, init: Mapping[str, Any] | None = None, /, **members: Any) -> RTCDataChannel:
        """createDataChannel from its argument conversion on (the owner has checked that it is open).

        Raises TypeError and OperationError as the specification says.
        """
        name = usv_string(label, "label")
        chosen = RTCDataChannelInit(init, **members)
        for what, text in (("label", name), ("protocol", chosen.protocol)):
            if len(text.encode()) > MAX_NAME_BYTES:
                raise TypeError(f"the {what} has more than {MAX_NAME_BYTES:,} bytes")
        if "maxPacketLifeTime" in chosen and "maxRetransmits" in chosen:
            raise TypeError("maxPacketLifeTime and maxRetransmits exclude each other")
        if chosen.negotiated:
            self._check_id(chosen)
        channel = RTCDataChannel._made(self, name, chosen)
        self._was_used = True
        self._all.append(channel)
        if self._engine is not None:
            self._start(channel)
        return channel

    def close(self) -> None:
        """The connection is closed: every channel is closed at once, and no event fires."""
        for channel in self._all:
            channel._state = "closed"
        self._all.clear()
        self._by_token.clear()
        for waiting in self._waiting.values():
            waiting.set()

    # What the path says (see TransportListener) ----------------------------------------------------

    def announced(self, token: int, settings: ChannelSettings) -> None:
        """By the other side; `opened` follows."""
        self._announced[token] = settings

    def opened(self, token: int, stream: int) -> None:
        """On this stream."""
        settings = self._announced.pop(token, None)
        if settings is None:
            channel = self._by_token.get(token)
            if channel is not None:
                channel._id = stream
                self.opened_count += 1
                channel._open()
            return
        init = RTCDataChannelInit(
            ordered=settings.ordered,
            maxRetransmits=settings.max_retransmits and min(settings.max_retransmits, 65535),
            maxPacketLifeTime=settings.max_packet_lifetime_ms and min(settings.max_packet_lifetime_ms, 65535),
            protocol=settings.protocol,
            priority=settings.priority,
        )
        if settings.max_retransmits == 0:
            init["maxRetransmits"] = 0
        channel = RTCDataChannel._made(self, settings.label, init)
        self._was_used = True
        self._bind(channel, token)
        # It can be sent on inside the datachannel event; open fires in a task after it.
        channel._id, channel._state = stream, "open"
        self._all.append(channel)
        self.opened_count += 1
        self._owner.channel_announced(channel)
        queue_task("data channel", channel._open)

    def received(self, token: int, messages: list[str | bytes]) -> None:
        """In order."""
        channel = self._by_token.get(token)
        if channel is not None:
            for message in messages:
                channel._receive(message)

    def sent(self, token: int, amount: int) -> None:
        """So much has left the queue."""
        channel = self._by_token.get(token)
        if channel is not None:
            channel._sent(amount)
            waiting = self._waiting.get(token)
            if waiting is not None and channel._buffered <= HIGH_WATER:
                waiting.set()

    def closing(self, token: int) -> None:
        """By the other side, or by an error."""
        channel = self._by_token.get(token)
        if channel is not None:
            channel._closing()

    def closed(self, token: int, error: str | None) -> None:
        """The last of it."""
        channel = self._by_token.pop(token, None)
        self._announced.pop(token, None)
        waiting = self._waiting.pop(token, None)
        if channel is not None:
            self._forget(channel)
            if channel._early is not None and channel._state == "open":
                channel._open()  # announced and closed in one breath: it opens first
            channel._closed(error)
        if waiting is not None:
            waiting.set()

    # Inside ----------------------------------------------------------------------------------------

    def _use(self, transport: PeerTransport) -> None:
        """There is a path now."""
        self._transport, self._engine = transport, transport.engine
        for channel in list(self._all):
            if channel._token is None and channel._state == "connecting":
                self._start(channel)

    def _start(self, channel: RTCDataChannel) -> None:
        assert self._engine is not None
        init = channel._init
        settings = ChannelSettings(
            channel._label, init.protocol, init.ordered, init.get("maxRetransmits"), init.get("maxPacketLifeTime"),
            init.priority, init.id if init.negotiated else None,
        )  # fmt: skip
        self._bind(channel, self._engine.open_channel(settings))

    def _bind(self, channel: RTCDataChannel, token: int) -> None:
        assert self._engine is not None
        channel._token = token
        channel._send_text, channel._send_bytes = self._engine.send_text, self._engine.send_bytes
        self._by_token[token] = channel

    def _close(self, channel: RTCDataChannel) -> None:
        if channel._state in ("closing", "closed"):
            return
        channel._state = "closing"
        if channel._token is not None and self._engine is not None:
            self._engine.close_channel(channel._token)
        else:
            self._forget(channel)
            queue_task("data channel", channel._closed, None)

    def _forget(self, channel: RTCDataChannel) -> None:
        if channel in self._all:
            self._all.remove(channel)
            self.closed_count += 1

    async def _drained(self, channel: RTCDataChannel) -> None:
        if channel._token is not None:
            waiting = self._waiting.setdefault(channel._token, asyncio.Event())
            waiting.clear()
            await waiting.wait()

    def _check_id(self, chosen: RTCDataChannelInit) -> None:
        if "id" not in chosen:
            raise TypeError("a channel that is negotiated needs an id")
        if chosen.id > MAX_ID:
            raise TypeError(f"the id {chosen.id} is more than {MAX_ID:,}")
        if any(channel._id == chosen.id for channel in self._all):
            raise OperationError(f"the id {chosen.id} is taken")
        sctp = self._transport.sctp if self._transport is not None else None
        if sctp is not None and sctp.maxChannels is not None and chosen.id >= sctp.maxChannels:
            raise OperationError(f"the id {chosen.id} is beyond the {sctp.maxChannels} streams of the association")
