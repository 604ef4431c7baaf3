"""The session over HTTP (docs/protocol.md, section 2.2): POST sends; an event stream or a long poll receives."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from urllib.parse import quote

import msgspec

from peerline.client.carriage import OPEN_S, PROBE_S, Carriage, CarriageEnd, Kind, NoWayError, Opened, Owner, Server
from peerline.client.envelope import Envelope, read_frame
from peerline.client.events import EventStream
from peerline.client.greeting import read_welcome, write_hello
from peerline.client.http import Http
from peerline.signaling.messages import MAX_BATCH, MAX_FRAME_BYTES, Hello, Welcome

__all__ = ["open_events", "open_poll"]

log = logging.getLogger("peerline.client")

# Without the first `:hb` in this time a proxy on the way holds the stream back.
_FIRST_HEARTBEAT_S = 5.0
# The server says `:hb` every 15 s; three missing mean that the stream is dead.
_SILENCE_S = 45.0
_POLL_S = 25
# How much later than asked for an answer may come.
_SLACK_S = 10.0
_POST_S = 10.0
_LEAVE_S = 3.0
_FLOOD_PAUSE_S = 1.0
# Proxies end streams now and then; one that ends so often without a word is no stream.
_MAX_EMPTY = 2
_OVER = (401, 410, 413)


class _HeldBackError(Exception):
    """The stream brought nothing in time."""


class _StatusError(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status


class _Taken(msgspec.Struct):
    a: int = 0


async def open_events(server: Server, hello: Hello) -> Opened:
    """See `Open`. Where streams are held back it turns into a long poll."""
    return await _open("sse", server, hello)


async def open_poll(server: Server, hello: Hello) -> Opened:
    """See `Open`."""
    return await _open("poll", server, hello)


async def _open(kind: Kind, server: Server, hello: Hello) -> Opened:
    http = Http(server)
    _, body = await http.ask("POST", "/signal/sessions", write_hello(hello), within_s=OPEN_S)
    welcome = read_welcome(next(iter(read_frame(body)), None))
    return Opened(_HttpCarriage(kind, http, welcome), welcome)


class _HttpCarriage(Carriage):
    def __init__(self, kind: Kind, http: Http, welcome: Welcome) -> None:
        self.kind = kind
        self._http = http
        self._path = f"/signal/sessions/{quote(welcome.sid, safe='')}"
        self._key = welcome.key
        self._owner: Owner | None = None
        self._out: deque[bytes] = deque()
        self._posting: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._turn: asyncio.Task[None] | None = None
        self._is_probing = False
        self._has_received = False
        self._empty = 0

    def start(self, owner: Owner) -> None:
        self._owner = owner
        self._listening = asyncio.create_task(self._listen())
        if self._out:
            self._post_soon()

    def send(self, frame: bytes) -> None:
        self._out.append(frame)
        if self._owner is not None:
            self._post_soon()

    def probe(self) -> None:
        if not self._is_probing and self._turn is not None:
            self._is_probing = True
            self._turn.cancel()

    async def leave(self) -> None:
        posting = self._posting
        try:
            # What was said before the bye goes first.
            if posting is not None:
                async with asyncio.timeout(_LEAVE_S):
                    await asyncio.wait([posting])
            self.close()
            await self._http.ask("DELETE", self._path, key=self._key, within_s=_LEAVE_S)
        except (NoWayError, TimeoutError):
            self.close()

    def close(self) -> None:
        self._owner = None
        for task in (self._posting, self._listening, self._turn):
            if task is not None:
                task.cancel()  # one that calls us ends at its next await

    # Receiving ---------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Until the end, one stream or poll after the other."""
        while self._owner is not None:
            receive = self._poll if self.kind == "poll" else self._stream
            self._turn = asyncio.create_task(receive(PROBE_S if self._is_probing else None))
            await asyncio.wait([self._turn])
            if self._turn.cancelled():
                continue  # to be opened anew: there was a doubt
            error = self._turn.exception()
            if error is None:
                self._empty += 1
                if self._empty > _MAX_EMPTY:
                    error = NoWayError("the stream brings nothing")
            if isinstance(error, _HeldBackError) and not self._has_received:
                self.kind = "poll"
                if self._owner is not None:
                    self._owner.turned("poll")
            elif error is not None:
                self._fail(error)

    async def _stream(self, within_s: float | None) -> None:
        owner = self._owner
        if owner is None:
            return
        stream = EventStream()
        has_come = False
        loop = asyncio.get_running_loop()
        try:
            async with (
                asyncio.timeout(within_s or _FIRST_HEARTBEAT_S) as deadline,
                self._http.open("GET", f"{self._path}/events?rx={owner.received}", key=self._key) as response,
            ):
                if response.status != 200:
                    raise _StatusError(response.status)
                while piece := await response.piece():
                    has_come = True
                    self._alive()
                    deadline.reschedule(loop.time() + _SILENCE_S)
                    for data in stream.feed(piece):
                        self._receive(read_frame(data))
        except TimeoutError:
            if not has_come:
                raise _HeldBackError from None
            raise

    async def _poll(self, within_s: float | None) -> None:
        """One poll. When in doubt the server is to answer at once."""
        owner = self._owner
        if owner is None:
            return
        wait_s = _POLL_S if within_s is None else 0
        status, body = await self._http.ask(
            "GET", f"{self._path}/poll?rx={owner.received}&wait_s={wait_s}",
            key=self._key, within_s=within_s or _POLL_S + _SLACK_S,
        )  # fmt: skip
        if status != 200:
            raise _StatusError(status)
        self._alive()
        self._receive(read_frame(body, is_polled=True))

    def _receive(self, envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            if self._owner is not None:
                self._owner.receive(envelope)

    def _alive(self) -> None:
        self._is_probing = False
        self._has_received = True
        self._empty = 0

    # Sending -----------------------------------------------------------------------------------------

    def _post_soon(self) -> None:
        # What is said in the same moment goes in one request; POSTs of one session are sent one after the other.
        if self._posting is None or self._posting.done():
            self._posting = asyncio.create_task(self._post())

    async def _post(self) -> None:
        try:
            while self._out and self._owner is not None:
                frame, count = _batch(self._out)
                status, body = await self._http.ask(
                    "POST", f"{self._path}/messages", frame, key=self._key, within_s=_POST_S
                )
                if status == 429:
                    await asyncio.sleep(_FLOOD_PAUSE_S)
                    continue
                if status != 200:
                    raise _StatusError(status)
                for _ in range(count):
                    self._out.popleft()
                taken = msgspec.json.decode(body, type=_Taken)
                if self._owner is not None:
                    self._owner.receive(Envelope("ack", a=taken.a))
        except (NoWayError, _StatusError, msgspec.DecodeError, OSError) as error:
            self._fail(error)

    # The end -----------------------------------------------------------------------------------------

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, NoWayError | _StatusError | OSError | ValueError | _HeldBackError):
            log.error("the session over HTTP failed", exc_info=error)
        is_over = isinstance(error, _StatusError) and error.status in _OVER
        owner = self._owner
        self.close()
        if owner is not None:
            owner.ended(CarriageEnd("rejoin", "gone") if is_over else CarriageEnd("resume", "lost"))


def _batch(frames: deque[bytes]) -> tuple[bytes, int]:
    """As many messages as one frame takes (section 2), and how many they are."""
    chosen: list[bytes] = []
    size = 2
    for frame in frames:
        size += len(frame) + 1
        if chosen and (size > MAX_FRAME_BYTES or len(chosen) == MAX_BATCH):
            break
        chosen.append(frame)
    return (chosen[0] if len(chosen) == 1 else b"[%b]" % b",".join(chosen)), len(chosen)
