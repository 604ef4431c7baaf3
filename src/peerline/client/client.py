"""The client: signed in under a name, sees who is there, calls and is called (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Literal, Self

import msgspec
from msgspec import Raw

from peerline.auth.names import parse_name
from peerline.client.bodies import Ended, Ring, Synced, Up, read
from peerline.client.call import HINTS, Call
from peerline.client.carriage import Clock, Server
from peerline.client.change import State, Stream
from peerline.client.choice import TransportWish
from peerline.client.envelope import Envelope
from peerline.client.errors import CallOverError
from peerline.client.identity import make_call_token
from peerline.client.people import People
from peerline.client.requests import Answer
from peerline.client.session import ClientState, Session
from peerline.errors import PeerlineError
from peerline.server_url import ServerUrl
from peerline.signaling import messages as m
from peerline.webrtc.peer_connection import RTCPeerConnection
from peerline.webrtc.tuning import Tuning

__all__ = ["Client", "IncomingCalls"]

# More that ring at once than a server would ever let through.
_MAX_RINGING = 64


class IncomingCalls:
    """`async for call in me.calls`: calls that ring here. Whoever calls learns that it rings when it is given out."""

    def __init__(self) -> None:
        self._ringing: Stream[Call] = Stream(_MAX_RINGING)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Call:
        while True:
            call = await anext(self._ringing)
            if call.state == "incoming":
                call.alert()
                return call

    def put(self, call: Call) -> None:
        """One more rings."""
        self._ringing.put(call)

    def end(self) -> None:
        """Signed out."""
        self._ringing.end()


class Client:
    """Signed in: `async with peerline.connect(url, name="Ann") as me`. Nothing here blocks, nothing needs a thread."""

    def __init__(
        self,
        url: ServerUrl,
        identity: m.Hello,
        *,
        tls: ssl.SSLContext | None,
        transport: TransportWish,
        tuning: Tuning | None,
        ice_transport_policy: Literal["all", "relay"],
    ) -> None:
        self.clock: Clock = asyncio.get_running_loop()
        self.calls = IncomingCalls()
        self.people = People()
        """Who is there, after `watch`."""
        self._identity = identity
        self._tuning = tuning
        self._policy = ice_transport_policy
        self._state: State[ClientState] = State("reconnecting", last="closed")
        self._calls: dict[str, Call] = {}
        self._is_watching = False
        self._chosen: str | None = None
        self._why: str | None = None
        self._session = Session(Server(url, tls, self.clock), self._hello, self, wish=transport)

    async def open(self) -> Self:
        """Sign in. Raises UnreachableError; AuthError or RefusedError (`taken`, `rate` …) if the server says no."""
        await self._session.open()
        return self

    @property
    def me(self) -> m.Who:
        """Who the server takes us for: canonical form `u`, name `n`."""
        me = self._session.welcome.me
        return m.Who(me.u, me.n)

    @property
    def state(self) -> ClientState:
        """ "connected", "reconnecting" (calls go on meanwhile), "closed"."""
        return self._state.value

    def states(self) -> AsyncIterator[ClientState]:
        """The state of now, then each change, "closed" last."""
        return self._state.follow()

    @property
    def transport(self) -> Literal["websocket", "sse", "poll"]:
        """How we talk to the server."""
        return self._session.kind

    async def signed_out(self) -> str:
        """Wait until we are; returns why: `closed` (by us), `replaced`, `expired`, `taken` …"""
        await self._state.until(lambda: self.state == "closed")
        return self._why or "closed"

    async def call(
        self,
        name: str,
        *,
        media: Sequence[str] = (),
        on_connection: Callable[[RTCPeerConnection], None] | None = None,
    ) -> Call:
        """Call somebody; returns as soon as the server has let it through: `async with` or `connected()` wait further.

        `media`: what we send, "a" and "v"; `on_connection` adds the tracks (see `Call.on_connection`).

        Raises CallOverError (`offline`, `busy`, `dnd`, `conflict` …), RemoteProtocolError for what is no name,
        SignedOutError.
        """
        u, n = parse_name(name)
        call = self._add(Call(self, make_call_token(), "out", m.Who(u, n)))
        call.offered, call.on_connection = list(media), on_connection
        answered: asyncio.Future[PeerlineError | None] = asyncio.get_running_loop().create_future()

        def answer(body: Raw | PeerlineError) -> None:
            if not answered.done():
                answered.set_result(body if isinstance(body, PeerlineError) else None)

        call.place(answer)
        try:
            error = await answered
        except asyncio.CancelledError:
            await call.hangup()
            raise
        if error is not None:
            hint = HINTS.get(error.code) or error.hint
            raise CallOverError(
                f"{n} cannot be called: {error.message}", code=error.code, hint=hint, retry_ms=error.retry_ms
            ) from error
        return call

    async def watch(self) -> People:
        """Who is there, kept up to date from now on."""
        self._is_watching = True
        shown = await self._session.request("watch", {})
        self.people.replace(msgspec.json.decode(shown, type=m.People).people)
        return self.people

    def set_presence(self, st: Literal["online", "away", "dnd"]) -> None:
        """How others see us, on all our devices."""
        self._chosen = st
        self._session.send("pres", {"st": st})

    async def history(self, before: int | None = None) -> list[m.HistoryEntry]:
        """Calls of the past, newest first, 50 at a time; `before`: a time in ms, for the next page."""
        asked: dict[str, Any] = {} if before is None else {"before": before}
        return msgspec.json.decode(await self._session.request("history", asked), type=m.History).calls

    def seen(self, calls: Iterable[str]) -> None:
        """These missed calls were seen; they are not told again."""
        self._session.send("seen", {"calls": list(calls)})

    async def close(self) -> None:
        """Hang up and sign out; others see it at once. Twice is fine."""
        for call in list(self._calls.values()):
            if call.is_up or call.direction == "out":
                await call.hangup()
            else:
                call.finish("closed")
        await self._session.close()

    # What a call needs (see call.Line) -----------------------------------------------------------------

    def new_connection(self) -> RTCPeerConnection:
        """With the ICE servers of now."""
        return RTCPeerConnection(self._configuration(), tuning=self._tuning)

    def send(self, t: str, d: Any, call: str) -> None:
        """In order, once."""
        self._session.send(t, d, call)

    def ask(self, t: str, d: Any, call: str, answer: Answer = lambda _: None) -> None:
        """And be told of the answer."""
        self._session.ask(t, d, call, answer)

    def call_over(self, call: Call) -> None:
        """Forget it."""
        if self._calls.get(call.id) is call:
            del self._calls[call.id]

    # What the session says (see SessionOwner) ----------------------------------------------------------

    def began(self) -> None:
        """A new session knows nothing: who watches, in which presence, in which calls (sections 6 and 9)."""
        if self._is_watching:
            self._session.ask("watch", {}, answer=self._watched)
        if self._chosen is not None:
            self._session.send("pres", {"st": self._chosen})
        self._sync()
        self._look_who_rings()
        for call in list(self._calls.values()):
            call.session_is_new()

    def state_changed(self, state: ClientState, why: str | None) -> None:
        """`closed`: signed out by us or by the server."""
        if state == "closed":
            self._why = why
            for call in list(self._calls.values()):
                call.finish("hangup" if call.is_up else "closed")
            self.calls.end()
            self.people.replace(())
        self._state.turn(state)

    def received(self, envelope: Envelope) -> None:
        """A message that answers nothing. A type that we do not know is ignored."""
        d, call = envelope.d, self._calls.get(envelope.call)
        match envelope.t:
            case "pres":
                shown = read(d, m.People)
                if shown is not None:
                    self.people.merge(shown.people)
            case "ice":
                self._renew_ice(d)
            case "ring":
                self._rings(envelope)
            case "rung" if call is not None:
                call.rung()
            case "up":
                self._up(envelope)
            case "stop" if call is not None:
                call.finish((read(d, Ended) or Ended()).why)
            case "end" if call is not None:
                ended = read(d, Ended) or Ended()
                if ended.why == "merged" and ended.into:
                    self._merge(call, ended.into)
                else:
                    call.finish(ended.why)
            case "err" if call is not None and call.is_up and b'"gone"' in bytes(d):
                # What has no answer to wait for was refused. Only `gone` says anything about the call as it is now.
                call.finish("lost")
            case "desc" | "cand" | "renego" | "restart" if call is not None:
                call.receive(envelope.t, d)

    # Inside ------------------------------------------------------------------------------------------

    def _hello(self) -> m.Hello:
        return msgspec.structs.replace(self._identity)

    def _configuration(self) -> dict[str, Any]:
        servers = [msgspec.to_builtins(server) for server in self._session.welcome.ice.servers]
        return {"iceServers": servers, "iceTransportPolicy": self._policy}

    def _add(self, call: Call) -> Call:
        self._calls[call.id] = call
        return call

    def _rings(self, envelope: Envelope) -> None:
        ring = read(envelope.d, Ring) or Ring()
        known = self._calls.get(envelope.call)
        call = known or self._add(Call(self, envelope.call, "in", envelope.from_ or m.Who("", "")))
        call.rings(ring)
        if known is None:
            self.calls.put(call)

    def _up(self, envelope: Envelope) -> None:
        call, up = self._calls.get(envelope.call), read(envelope.d, Up)
        if call is not None and call.state != "incoming" and up is not None:
            call.up(up)
        else:  # nobody here made or took it
            self._session.send("end", {}, envelope.call)

    def _merge(self, ours: Call, into: str) -> None:
        """Glare: they called us while we called them. Their call stays, and goes on as ours."""
        theirs = self._calls.get(into)
        if theirs is not None and theirs is not ours:
            theirs.finish("merged")
        self._calls.pop(ours.id, None)
        ours.become(into)
        self._add(ours)

    def _renew_ice(self, d: Raw) -> None:
        ice = read(d, m.Ice)
        if ice is not None:
            self._session.renew_ice(ice)
            for call in self._calls.values():
                call.renew_ice(self._configuration())

    def _watched(self, body: Raw | PeerlineError) -> None:
        shown = None if isinstance(body, PeerlineError) else read(body, m.People)
        if shown is not None:
            self.people.replace(shown.people)

    def _look_who_rings(self) -> None:
        """What still rings has rung again by the time that this is answered."""
        rang = {call: call.times_rung for call in self._calls.values() if call.state == "incoming"}

        def settled(_: Raw | PeerlineError) -> None:
            for call, times in rang.items():
                if call.state == "incoming" and call.times_rung == times:
                    call.finish("lost")

        if rang:
            self._session.ask("seen", {"calls": []}, answer=settled)

    def _sync(self) -> None:
        calls = [call for call in self._calls.values() if call.is_up]
        known: list[dict[str, Any]] = [
            {
                "call": call.id,
                "peer": call.peer.u,
                "role": "caller" if call.direction == "out" else "callee",
                "live": call.pc is not None,
                "media": call.offered,
            }
            for call in calls
        ]

        def told(body: Raw | PeerlineError) -> None:
            verdicts = Synced() if isinstance(body, PeerlineError) else read(body, Synced) or Synced()
            for call in calls:
                if verdicts.calls.get(call.id) == "gone":
                    call.finish("lost")

        if calls:
            self._session.ask("sync", {"calls": known}, answer=told)
