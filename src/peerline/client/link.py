"""A call's peer connection through its generations, and what goes over it (docs/protocol.md, sections 8, 9, 13)."""

from __future__ import annotations

import logging
import time
from typing import Any, Literal, Protocol

from msgspec import Raw

from peerline.client.bodies import PC, About, Cand, Desc, read
from peerline.client.carriage import Clock
from peerline.client.change import Stream
from peerline.client.chat import CHAT_LABEL, Chat
from peerline.client.errors import CallOverError
from peerline.client.files import FILE_LABEL, Files
from peerline.client.negotiation import Negotiation
from peerline.client.recovery import Recovery
from peerline.webrtc.data_channel import RTCDataChannel
from peerline.webrtc.peer_connection import RTCPeerConnection

__all__ = ["Link", "LinkOwner"]

log = logging.getLogger("peerline.client")

# What the page's inspectors tell each other: nothing to us.
_STEPS_LABEL = "steps"
# Channels of the application's own that nobody has taken yet; more are closed.
_MAX_UNTAKEN = 64


class LinkOwner(Protocol):
    """The call."""

    def new_connection(self) -> RTCPeerConnection:
        """One with the ICE servers of now."""

    def say(self, t: str, d: Any) -> None:
        """To the other side."""

    def turned(self, state: str) -> None:
        """connectionState."""

    def give_up(self, why: Literal["ice_lost", "ice_failed", "error"]) -> None:
        """There is no hope."""


class Link:
    """`is_offerer`: the caller's side, which offers first and makes the chat's channel."""

    def __init__(self, owner: LinkOwner, clock: Clock, *, is_offerer: bool) -> None:
        self.chat = Chat()
        self.files = Files()
        self.channels: Stream[RTCDataChannel] = Stream(_MAX_UNTAKEN, dropped=lambda channel: channel.close())
        self.is_offerer = is_offerer
        self._owner = owner
        self._clock = clock
        self._recovery = Recovery(self, clock)
        self._negotiation: Negotiation | None = None
        # Highest generation known; 0: none yet.
        self._g = 0

    @property
    def pc(self) -> RTCPeerConnection | None:
        """The connection of now."""
        return self._negotiation.pc if self._negotiation is not None else None

    def up(self) -> None:
        """Both sides are there."""
        if self.is_offerer:
            self._begin(1)
        else:
            self._connect(1, is_following=True)

    def up_again(self, *, is_fresh: bool) -> None:
        """Both sides are there again; `is_fresh`: one of them lost its peer connection (section 9)."""
        self._recovery.again()
        if not is_fresh and self._negotiation is not None:
            self._negotiation.restart_anew()
        elif self.is_offerer:  # the callee follows the offer of the new generation
            self._begin((self._g or int(time.time())) + 1)

    def receive(self, t: str, d: Raw) -> None:
        """`desc`, `cand`, `renego` or `restart` of the other side."""
        if t == "desc":
            desc = read(d, Desc)
            if desc is not None:
                self._receive_desc(desc)
        elif t == "cand":
            cand = read(d, Cand)
            if cand is not None and cand.g == self._g and self._negotiation is not None:
                self._negotiation.receive_cand(cand)
        elif self._negotiation is not None and (read(d, About) or About()).pc == PC:
            if t == "renego":
                self._negotiation.negotiate()
            elif t == "restart" and self.is_offerer:
                self._negotiation.restart("lost")

    def renew_ice(self, configuration: dict[str, Any]) -> None:
        """The next ICE restart gathers with fresh credentials; what is connected stays so."""
        if self.pc is not None:
            self.pc.setConfiguration(configuration)

    def close(self, over: CallOverError) -> None:
        """The call is over."""
        self._recovery.stop()
        self.chat.end(over)
        self.files.end(over.code)
        self.channels.end()
        self._disconnect()

    # What the recovery makes happen (see RecoveryActs) -------------------------------------------------

    def restart(self, why: Literal["lost"]) -> None:
        """Look for another way."""
        if self._negotiation is not None:
            self._negotiation.restart(why)

    def give_up(self, why: Literal["ice_lost", "ice_failed"]) -> None:
        """It has taken too long."""
        self._owner.give_up(why)

    # What the negotiation says (see NegotiationOwner) --------------------------------------------------

    def say(self, t: str, d: Any) -> None:
        """To the other side."""
        self._owner.say(t, d)

    def settled(self) -> None:
        """Both descriptions are set."""
        self._recovery.described()

    def failed(self, pc: RTCPeerConnection, error: Exception) -> None:
        """A description that cannot be used: without a connection there is nothing to go on with."""
        # The error's words may hold an address or a piece of a description: its name has to do.
        log.warning("negotiation failed: %s", type(error).__name__)
        if pc.connectionState == "new":
            self._owner.give_up("error")

    # Inside ------------------------------------------------------------------------------------------

    def _begin(self, g: int) -> None:
        pc = self._connect(g, is_following=False)
        self.chat.open(pc.createDataChannel(CHAT_LABEL))

    def _connect(self, g: int, *, is_following: bool) -> RTCPeerConnection:
        self._disconnect()
        self._g = g
        pc = self._owner.new_connection()
        pc.onconnectionstatechange = lambda _: self._turned(pc.connectionState)
        pc.ondatachannel = lambda event: self._open(event.channel)
        self._negotiation = Negotiation(pc, g, self, self._clock, is_offerer=self.is_offerer, is_following=is_following)
        self._owner.turned(pc.connectionState)
        return pc

    def _disconnect(self) -> None:
        negotiation, self._negotiation = self._negotiation, None
        if negotiation is not None:
            negotiation.pc.onconnectionstatechange = negotiation.pc.ondatachannel = None
            negotiation.close()

    def _open(self, channel: RTCDataChannel) -> None:
        if channel.label == CHAT_LABEL:
            self.chat.open(channel)
        elif channel.label == FILE_LABEL:
            self.files.accept(channel)
        elif channel.label != _STEPS_LABEL:
            self.channels.put(channel)

    def _turned(self, state: str) -> None:
        self._recovery.turned(state)
        self._owner.turned(state)

    def _receive_desc(self, desc: Desc) -> None:
        if desc.g < self._g:
            return
        if desc.g > self._g and desc.sdp.type == "offer":
            self._connect(desc.g, is_following=True)  # the other side began anew
        if desc.g == self._g and self._negotiation is not None:
            self._negotiation.receive_desc(desc)
