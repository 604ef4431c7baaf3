"""One call: its state, and what goes over it: text, files, data channels (docs/protocol.md, sections 7 and 13)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from msgspec import Raw

from peerline.client.bodies import Ring, Up
from peerline.client.carriage import Clock
from peerline.client.change import State, Stream
from peerline.client.chat import ChatMessage
from peerline.client.errors import CallOverError
from peerline.client.file_receiving import IncomingFile, Progress
from peerline.client.link import Link
from peerline.client.requests import Answer
from peerline.errors import InvalidStateError, PeerlineError
from peerline.signaling.messages import Who
from peerline.webrtc.data_channel import RTCDataChannel
from peerline.webrtc.peer_connection import RTCPeerConnection

__all__ = ["Call", "CallState", "Line"]

CallState = Literal["incoming", "calling", "ringing", "connecting", "connected", "reconnecting", "ended"]

# What was said last has so long to arrive when the call is hung up.
_GOODBYE_S = 2.0

HINTS = {
    "offline": "Nobody of that name is signed in there.",
    "busy": "They are in another call. Try again later.",
    "dnd": "They do not want to be disturbed. Try again later.",
    "declined": "They turned the call down.",
    "timeout": "They did not answer in time.",
    "ice_failed": "No way from one to the other was found: a TURN server is needed, or a firewall forbids it.",
    "ice_lost": "The connection broke and did not come back.",
    "lost": "The other side is gone.",
}


class Line(Protocol):
    """What a call needs of its client."""

    clock: Clock

    def new_connection(self) -> RTCPeerConnection: ...
    def send(self, t: str, d: Any, call: str) -> None: ...
    def ask(self, t: str, d: Any, call: str, answer: Answer = ...) -> None: ...
    def call_over(self, call: Call) -> None: ...


class Call:
    """`await me.call("Bob")` makes one, `async for call in me.calls` gives those of others.

    `async with call:` waits until it is connected and hangs up at the end.
    """

    def __init__(self, line: Line, id: str, direction: Literal["in", "out"], peer: Who) -> None:
        self.id = id
        """The call token."""
        self.direction: Literal["in", "out"] = direction
        self.peer = peer
        """Who it is with: canonical form `u`, name `n`."""
        self.end_reason: str | None = None
        """Why it ended: a word of docs/protocol.md, section 7, or the code of the refusal."""
        self.media: list[str] = []
        """What the other side sends or wants to: "a", "v"; empty: only data."""
        self.offered: list[str] = []
        """What we send, "a" and "v"."""
        self.times_rung = 0
        self.on_connection: Callable[[RTCPeerConnection], None] | None = None
        """Called with each peer connection of the call before anything is negotiated: to add tracks to it, and to
        listen for `track`. Where nobody does, sound and pictures are not sent to us. To be set before `accept`, or
        given to `me.call`."""
        self._line = line
        self._is_up = False
        self._was_connected = False
        self._is_placed = False
        self._state: State[CallState] = State("incoming" if direction == "in" else "calling", last="ended")
        self._expiry: Any = None
        self._link = Link(self, line.clock, is_offerer=direction == "out")

    # What a program does -----------------------------------------------------------------------------

    @property
    def state(self) -> CallState:
        """ "incoming"; or "calling", "ringing"; then "connecting", "connected", perhaps "reconnecting"; "ended"."""
        return self._state.value

    @property
    def pc(self) -> RTCPeerConnection | None:
        """The peer connection of now; another one may take its place when the other side begins anew."""
        return self._link.pc

    async def connected(self) -> Self:
        """Wait until data can flow. Raises CallOverError if it ends before that."""
        await self._state.until(lambda: self._require_alive() or self.state == "connected")
        return self

    async def ended(self) -> str:
        """Wait until it is over; returns why."""
        await self._state.until(lambda: self.state == "ended")
        return self.end_reason or "error"

    def states(self) -> AsyncIterator[CallState]:
        """The state of now, then each change, "ended" last."""
        return self._state.follow()

    async def accept(self, media: Sequence[str] | None = None) -> Self:
        """Take a call that rings here. `media`: what we send, "a" and "v", by default `offered`; it is told to them.

        Raises CallOverError if it is gone meanwhile.
        """
        self._require_alive()
        if self.state != "incoming":
            return self
        self._state.turn("connecting")
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answer(body: Raw | PeerlineError) -> None:
            if isinstance(body, PeerlineError):
                self.finish(body.code)
            if not answered.done():
                answered.set_result(None)

        if media is not None:
            self.offered = list(media)
        self._line.ask("accept", {"media": self.offered}, self.id, answer)
        await answered
        self._require_alive()
        return self

    def decline(self, why: Literal["no", "busy", "later"] = "no") -> None:
        """Not now, on no device."""
        if self.state == "incoming":
            self._line.ask("decline", {"why": why}, self.id)
            self.finish("declined")

    async def hangup(self) -> None:
        """End it; what was said before arrives first. Before the other side answered: cancel it. Twice is fine."""
        if self.state == "incoming":
            self.decline()
        elif self.state != "ended" and (self._is_up or self.direction == "in"):
            if self.state == "connected":
                await self._link.chat.finish(_GOODBYE_S)
            self._end("hangup")
        elif self.state != "ended":
            # They may have answered in this very moment: then it is a hang-up.
            token = self.id
            self._line.ask("cancel", {}, token, lambda body: self._cancel_refused(token, body))
            self.finish("cancelled")

    @property
    def messages(self) -> Stream[ChatMessage]:
        """`async for message in call.messages`: what the other side says, until the call is over."""
        return self._link.chat.messages

    async def send(self, text: str) -> ChatMessage:
        """Say something; before the call is connected it waits. At most 16,000 characters.

        Raises RefusedError (`too_large`), CallOverError.
        """
        return await self._link.chat.send(text)

    @property
    def files(self) -> Stream[IncomingFile]:
        """`async for file in call.files`: what the other side offers to send, to be saved or declined."""
        return self._link.files.incoming

    async def send_file(self, path: Path | str, *, name: str | None = None, on_progress: Progress | None = None) -> int:
        """Send a file; returns its size once the other side has it and its checksum is right. Cancelling stops it.

        Raises TransferError, CallOverError; OSError if the file cannot be read.
        """
        await self.connected()
        return await self._link.files.send(self.pc, Path(path), name, on_progress)

    @property
    def channels(self) -> Stream[RTCDataChannel]:
        """`async for channel in call.channels`: data channels that the other side's program opened with `channel`."""
        return self._link.channels

    def channel(self, label: str, **options: Any) -> RTCDataChannel:
        """A data channel of one's own: options as in createDataChannel. `chat`, `file` and `steps` are taken.

        Between programs: the page closes channels that it does not know. Raises InvalidStateError before the call is
        up, CallOverError after it.
        """
        self._require_alive()
        if self.pc is None:
            raise InvalidStateError("the call is not connected yet", hint="await call.connected()")
        return self.pc.createDataChannel(label, options)

    async def __aenter__(self) -> Self:
        try:
            if self.state == "incoming":
                await self.accept()
            return await self.connected()
        except asyncio.CancelledError:
            await self.hangup()
            raise

    async def __aexit__(self, *error: object) -> None:
        await self.hangup()

    def __repr__(self) -> str:
        return f"<Call {self.direction} {self.peer.n!r} {self.state}>"

    # What the client tells ----------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether it is to be told to a server that may have forgotten it."""
        return self._is_up and self.state != "ended"

    def place(self, answer: Answer = lambda _: None) -> None:
        """Call, or call anew: the same token is answered alike."""

        def placed(body: Raw | PeerlineError) -> None:
            self._is_placed = not isinstance(body, PeerlineError)
            if isinstance(body, PeerlineError) and not self._is_up:
                self.finish(body.code)
            answer(body)

        self._line.ask("call", {"to": f"u/{self.peer.u}", "media": self.offered}, self.id, placed)

    def session_is_new(self) -> None:
        """A server that started anew knows nothing of a call that was not answered yet."""
        if self._is_placed and not self._is_up and self.direction == "out":
            self._is_placed = False
            self.place()

    def rings(self, ring: Ring) -> None:
        """It rings here, for so long at most."""
        self.times_rung += 1
        self.media = ring.media
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = self._line.clock.call_later(
            max(0.0, ring.exp - ring.now) / 1000, lambda: self.finish("timeout") if self.state == "incoming" else None
        )

    def alert(self) -> None:
        """Somebody here knows of it: so may the caller."""
        self._line.send("rung", {}, self.id)

    def rung(self) -> None:
        """It rings there."""
        if self.state == "calling":
            self._state.turn("ringing")

    def become(self, into: str) -> None:
        """Glare: they called us while we called them. Their call stays, and this is it now."""
        self.id = into
        self.direction = "in"
        self._link.is_offerer = False
        self._state.turn("connecting")

    def up(self, up: Up) -> None:
        """Both sides are there."""
        if self.state in ("ended", "incoming"):
            return
        self.peer, self.media, self._is_up = up.peer, up.media, True
        if up.again:
            self._link.up_again(is_fresh=up.fresh)
        else:
            self._link.up()

    def receive(self, t: str, d: Raw) -> None:
        """What the other side says about the connection."""
        if self.is_up:
            self._link.receive(t, d)

    def renew_ice(self, configuration: dict[str, Any]) -> None:
        """There are fresh credentials for the relay."""
        self._link.renew_ice(configuration)

    def finish(self, why: str) -> None:
        """It is over; nothing is to be said about it."""
        if self.state == "ended":
            return
        if self._expiry is not None:
            self._expiry.cancel()
        self.end_reason = why
        self._link.close(self._over())
        self._state.turn("ended")
        self._line.call_over(self)

    # What the link says (see LinkOwner) ----------------------------------------------------------------

    def new_connection(self) -> RTCPeerConnection:
        """One with the ICE servers of now."""
        pc = self._line.new_connection()
        if self.on_connection is not None:
            self.on_connection(pc)
        return pc

    def say(self, t: str, d: Any) -> None:
        """To the other side, through the server."""
        if self.is_up:
            self._line.send(t, d, self.id)

    def turned(self, state: str) -> None:
        """connectionState."""
        if self.state == "ended":
            return
        if state == "connected":
            self._was_connected = True
            self._state.turn("connected")
        else:
            self._state.turn("reconnecting" if self._was_connected else "connecting")

    def give_up(self, why: Literal["ice_lost", "ice_failed", "error"]) -> None:
        """There is no hope."""
        self._end(why)

    # Inside ------------------------------------------------------------------------------------------

    def _end(self, why: Literal["hangup", "ice_lost", "ice_failed", "error"]) -> None:
        if self.state != "ended":
            self._line.ask("end", {"why": why}, self.id)
            self.finish(why)

    def _cancel_refused(self, token: str, body: Raw | PeerlineError) -> None:
        if isinstance(body, PeerlineError) and body.code == "conflict":
            self._line.ask("end", {"why": "hangup"}, token)

    def _require_alive(self) -> None:
        if self.state == "ended":
            raise self._over()

    def _over(self) -> CallOverError:
        why = self.end_reason or "error"
        return CallOverError(f"the call with {self.peer.n} is over: {why}", code=why, hint=HINTS.get(why))
