"""The data channels of one peer connection: their ids, their way to the engine (W3C WebRTC, section 6.1; RFC 8832)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from peerline.engine.transport import ChannelSettings
from peerline.errors import OperationError
from peerline.eventloop import queue_task
from peerline.webrtc.channel_ids import MAX_ID, ChannelIds
from peerline.webrtc.channel_messages import Kept
from peerline.webrtc.data_channel import RTCDataChannel
from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.webidl import boolean, enumeration, unsigned_short_enforced, usv_string

if TYPE_CHECKING:
    from peerline.engine.transport import Transport
    from peerline.webrtc.peer_transport import PeerTransport
    from peerline.webrtc.sctp_transport import RTCSctpTransport
    from peerline.webrtc.transport_owner import TransportOwner

RTCPriorityType = enumeration("very-low", "low", "medium", "high")
MAX_NAME_BYTES = 65535


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
        self._all: dict[RTCDataChannel, None] = {}
        self._ids = ChannelIds()
        self._by_token: dict[int, RTCDataChannel] = {}
        self._announced: dict[int, ChannelSettings] = {}
        self._tasks: deque[tuple[Callable[..., object], tuple[Any, ...]]] | None = None
        self._was_used = False
        self.max_message_size: float = math.inf
        """As RTCSctpTransport's; here it is quicker to ask for."""
        self.max_buffered: float = math.inf
        """What may be queued on one channel, in bytes."""
        self.buffered = 0
        """What is queued on all of them, in bytes."""
        self.kept = Kept()
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

    def create(self, label: Any, init: Mapping[str, Any] | None = None, /, **members: Any) -> RTCDataChannel:
        """createDataChannel from its argument conversion on (the owner has checked that it is open).

        Raises TypeError and OperationError as the specification says.
        """
        name = usv_string(label, "label")
        chosen = RTCDataChannelInit(init, **members)
        for what, text in (("label", name), ("protocol", chosen.protocol)):
            if len(text.encode()) > MAX_NAME_BYTES:
                raise TypeError(f"the {what} has more than {MAX_NAME_BYTES:,} bytes")
        if chosen.negotiated and "id" not in chosen:
            raise TypeError("a channel that is negotiated needs an id")
        if "maxPacketLifeTime" in chosen and "maxRetransmits" in chosen:
            raise TypeError("maxPacketLifeTime and maxRetransmits exclude each other")
        if chosen.negotiated and chosen.id > MAX_ID:
            raise TypeError(f"the id {chosen.id} is more than {MAX_ID:,}")
        channel = RTCDataChannel._made(self, name, chosen)
        if channel._id is not None:
            self._ids.take(channel._id)
        elif self._ids.is_role_known:
            channel._id = self._ids.next()
            if channel._id is None:
                raise OperationError("no id is left for the channel")
        self._was_used = True
        self._all[channel] = None
        if self._engine is not None:
            self._start(channel)
        return channel

    def close(self) -> None:
        """The connection is closed: every channel is closed at once, and no event fires."""
        channels, self._all = self._all, {}
        self._by_token.clear()
        self._engine = None
        for channel in channels:
            if channel._is_announced:
                self.closed_count += 1
            channel._end()

    # What the path says (see TransportListener) ----------------------------------------------------

    def announced(self, token: int, settings: ChannelSettings) -> None:
        """By the other side; `opened` follows."""
        self._announced[token] = settings

    def opened(self, token: int, stream: int) -> None:
        """On this stream."""
        settings = self._announced.pop(token, None)
        if settings is not None:
            self._task(self._announce, token, stream, settings)
        elif (channel := self._by_token.get(token)) is not None:
            self._task(self._open, channel, stream)

    def received(self, token: int, messages: list[str | bytes]) -> None:
        """In order."""
        # Inlined `_task`: this is called for every batch of messages.
        if self._tasks:
            self._later(self._receive, token, messages)
        elif (channel := self._by_token.get(token)) is not None:
            channel._receive(messages)

    def sent(self, token: int, amount: int) -> None:
        """So much has left the queue."""
        channel = self._by_token.get(token)
        if channel is not None:
            self.buffered -= min(amount, channel._buffered)
            self._task(channel._sent, amount)

    def closing(self, token: int) -> None:
        """By the other side, or by an error."""
        channel = self._by_token.get(token)
        if channel is not None:
            self._task(channel._announce_closing)

    def closed(self, token: int, error: str | None) -> None:
        """The last of it."""
        if self._announced.pop(token, None) is None:
            self._task(self._finish, token, error)

    # What the connection says ----------------------------------------------------------------------

    def use(self, transport: PeerTransport) -> None:
        """Descriptions have said over which path, and who is the client of DTLS: ids are given, channels opened."""
        self._transport, self._engine = transport, transport.engine
        self._ids.set_role(transport.dtls_role)
        for channel in list(self._all):
            if channel._token is None and channel._state == "connecting":
                channel._id = self._ids.next() if channel._id is None else channel._id
                if channel._id is None:
                    self._forget(channel)
                    self._later(channel._announce_closed, "data-channel-failure", "no id is left for the channel")
                elif self._engine is not None:
                    self._start(channel)

    def connected(self, streams: int) -> None:
        """The association stands: ids are below this."""
        self._ids.limit = min(streams, MAX_ID + 1)

    def resized(self, sctp: RTCSctpTransport) -> None:
        """A description says what the other side takes."""
        self.max_message_size, self.max_buffered = sctp._max_message_size or math.inf, sctp._max_buffer_size

    def lose(self, transport: PeerTransport, why: str) -> None:
        """The path is given up by descriptions: what it carried ends with it."""
        if self._transport is not transport:
            return
        self._announced.clear()
        for token, channel in list(self._by_token.items()):
            if self._engine is not None:
                self._engine.close_channel(token)
            self._forget(channel)
            self._later(channel._announce_closed, "sctp-failure", why)
        self._by_token.clear()
        self._transport = self._engine = None

    # Inside ----------------------------------------------------------------------------------------

    def _task(self, steps: Callable[..., object], *details: Any) -> None:
        """As a task: now, for this is one, unless others wait; then after them."""
        if self._tasks:
            self._later(steps, *details)
        else:
            steps(*details)

    def _later(self, steps: Callable[..., object], *details: Any) -> None:
        if self._tasks is None:
            self._tasks = deque()
        self._tasks.append((steps, details))
        queue_task("data channel", self._next_task)

    def _next_task(self) -> None:
        assert self._tasks is not None
        steps, details = self._tasks.popleft()
        if not self._tasks:
            self._tasks = None
        if not self._owner.is_closed:
            steps(*details)

    def _announce(self, token: int, stream: int, settings: ChannelSettings) -> None:
        init = RTCDataChannelInit(ordered=settings.ordered, protocol=settings.protocol, priority=settings.priority)
        # The wire has room for more than the attributes (RFC 8832, section 5.1).
        if settings.max_retransmits is not None:
            init["maxRetransmits"] = min(settings.max_retransmits, 65535)
        if settings.max_packet_lifetime_ms is not None:
            init["maxPacketLifeTime"] = min(settings.max_packet_lifetime_ms, 65535)
        channel = RTCDataChannel._made(self, settings.label, init)
        self._was_used = True
        self._bind(channel, token)
        self._all[channel] = None
        self._ids.note(stream)
        # It can be sent on inside the datachannel event; open fires in a task after it.
        channel._id, channel._state = stream, "open"
        self.opened_count += 1
        # First the place in the queue: what the handler itself queues comes after it.
        self._later(channel._announce_open)
        self._owner.channel_announced(channel)

    def _open(self, channel: RTCDataChannel, stream: int) -> None:
        if channel._state == "connecting":
            channel._id = stream
            self.opened_count += 1
            channel._announce_open()

    def _receive(self, token: int, messages: list[str | bytes]) -> None:
        channel = self._by_token.get(token)
        if channel is not None:
            channel._receive(messages)

    def _finish(self, token: int, error: str | None) -> None:
        channel = self._by_token.pop(token, None)
        if channel is None:
            return
        self._forget(channel)
        if channel._state == "open" or (error is not None and channel._is_announced):
            # Nobody closed it: the association is over, or the other side broke the protocol.
            channel._announce_closed("sctp-failure", error or "the association has ended")
        elif error is not None and "association" not in error:
            channel._announce_closed("data-channel-failure", error)
        else:
            channel._announce_closed(None if error is None else "sctp-failure", error or "")

    def _start(self, channel: RTCDataChannel) -> None:
        assert self._engine is not None
        init = channel._init
        settings = ChannelSettings(
            channel._label,
            init.protocol,
            init.ordered,
            init.get("maxRetransmits"),
            init.get("maxPacketLifeTime"),
            init.priority,
            negotiated_id=channel._id if init.negotiated else None,
            stream=channel._id,
        )
        self._bind(channel, self._engine.open_channel(settings))

    def _bind(self, channel: RTCDataChannel, token: int) -> None:
        assert self._engine is not None
        channel._token = token
        channel._send_text, channel._send_bytes = self._engine.send_text, self._engine.send_bytes
        self._by_token[token] = channel

    def _close(self, channel: RTCDataChannel) -> None:
        """The program closes it; its state has changed already."""
        if channel._token is not None and self._engine is not None:
            self._engine.close_channel(channel._token)
        else:
            self._forget(channel)
            if not self._owner.is_closed:
                self._later(channel._announce_closed, None)

    def _forget(self, channel: RTCDataChannel) -> None:
        if channel in self._all:
            del self._all[channel]
            self.buffered -= channel._buffered
            if channel._id is not None:
                self._ids.free(channel._id)
            if channel._state == "open" or channel._is_announced:
                self.closed_count += 1
