"""A signaling client, written from docs/protocol.md alone: it connects, asks, waits and resumes."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from .delivery import Delivery, GapError, Message
from .transport import ClosedError, Kind, Transport, transport_of

_ACK_AFTER_S = 1.0
_ACK_AFTER_MESSAGES = 32
_PONG_WITHIN_S = 3.0
_ANSWER_WITHIN_S = 10.0


class RefusedError(Exception):
    """The server answered with `err`."""

    def __init__(self, message: Message) -> None:
        body = message["d"]
        super().__init__(f"{body['code']}: {body['msg']}")
        self.code: str = body["code"]
        self.body = body
        self.message = message


class Client:
    """One device's session. `connect` makes one; it lives on in `resume` when the socket under it dies."""

    def __init__(self, url: str, name: str | None, own: str | None, dev: str | None, token: str | None) -> None:
        self.url = url.rstrip("/")
        self.name = name
        self.own = own or secrets.token_urlsafe(32)
        self.dev = dev or secrets.token_urlsafe(16)
        self.token = token
        self.welcome: Message = {}
        self.inbox: list[Message] = []  # what came and was not asked for, in order
        self.log: list[Message] = []  # all that came, answers too, in order
        self.bye: Message | None = None  # what the server said when it went
        self._delivery = Delivery()
        self._requests: dict[str, asyncio.Future[Message]] = {}
        self._ids = itertools.count(1)
        self._transport: Transport | None = None
        self.kind: Kind = "websocket"
        self._tasks: list[asyncio.Task[None]] = []
        self._sending = asyncio.Lock()
        self._arrived = asyncio.Event()
        self._closed: asyncio.Future[ClosedError] = asyncio.get_running_loop().create_future()
        self.pongs = 0
        self._pong = asyncio.Event()
        self._may_read = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        url: str,
        name: str | None,
        own: str | None = None,
        dev: str | None = None,
        transport: Kind = "websocket",
        token: str | None = None,
    ) -> Client:
        """Register and return the client, or raise RefusedError."""
        client = cls(url, name, own, dev, token)
        await client._open(transport, resume=False)
        return client

    # --- who we are -------------------------------------------------------------------------------------

    @property
    def u(self) -> str:
        u: str = self.welcome["me"]["u"]
        return u

    @property
    def connected(self) -> bool:
        return self._transport is not None

    # --- the session ------------------------------------------------------------------------------------

    async def resume(self, transport: Kind | None = None) -> bool:
        """Come back after the socket died, on any transport. False: the server began a new session."""
        await self._drop()
        return await self._open(transport or self.kind, resume=True)

    async def _open(self, kind: Kind, *, resume: bool) -> bool:
        self.kind = kind
        hello: dict[str, Any] = {"v": [1], "dev": self.dev}
        if self.name is not None:
            hello["name"] = self.name
        if self.token is not None:
            hello["tok"] = self.token
        else:
            hello["own"] = self.own
        if resume:
            rx = self._delivery.received
            hello["res"] = {"sid": self.welcome["sid"], "key": self.welcome["key"], "rx": rx}
        transport = transport_of(kind, self.url)
        try:
            async with asyncio.timeout(10):
                answer = await transport.open({"t": "hello", "d": hello})
        except BaseException:
            await transport.close()
            raise
        if answer["t"] != "welcome":
            await transport.close()
            raise RefusedError(answer)
        self.welcome = answer["d"]
        self._closed = asyncio.get_running_loop().create_future()
        self.bye = None
        resumed: bool = self.welcome["res"]
        if resumed:
            self._delivery.drop_through(self.welcome["rx"])
        else:
            self._begin_anew()
        async with self._sending:  # what is sent again goes first, before anything that waits for the lock
            self._transport = transport
            self._start(transport)
            await self._send_all(self._delivery.unacknowledged())
        return resumed

    def _begin_anew(self) -> None:
        """A new session: what the old one had not delivered is lost, its requests are never answered."""
        self._delivery = Delivery()
        for request in self._requests.values():
            if not request.done():
                request.set_exception(ClosedError(reason="the session is over"))
        self._requests.clear()

    def _start(self, transport: Transport) -> None:
        self._may_read.set()
        self._tasks = [
            asyncio.create_task(work)
            for work in (self._read(transport), self._acknowledge(), *self._signs_of_life(transport))
        ]

    def _signs_of_life(self, transport: Transport) -> list[Coroutine[Any, Any, None]]:
        """Over HTTP the requests themselves are that."""
        return [self._heartbeat(transport)] if self.kind == "websocket" else []

    async def close(self) -> None:
        """Log out: `bye` ends the session and its calls at once."""
        transport = self._transport
        if transport is not None:
            try:
                await transport.leave()
            except ClosedError:
                pass
        await self._drop()

    async def abort_socket(self) -> None:
        """Kill the socket without a word, as a network change or a crash does."""
        if self._transport is not None:
            await self._transport.abort()
        await self._drop()

    def stop_reading(self) -> None:
        """Never read again, and answer nothing by ourselves; sending still works."""
        self._may_read.clear()
        for task in self._tasks[1:]:
            task.cancel()
        if self._transport is not None:
            self._transport.stop_reading()

    def fall_silent(self) -> None:
        """Send nothing any more, not even signs of life, as a machine that was put to sleep."""
        for task in self._tasks[1:]:
            task.cancel()

    def leave_behind(self) -> Transport:
        """Turn away from the socket without closing it, as if it hung; the caller closes it."""
        transport, self._transport = self._transport, None
        assert transport is not None
        for task in self._tasks:
            task.cancel()
        return transport

    async def wait_closed(self, timeout_s: float = 10.0) -> ClosedError:
        """Wait until the server has closed what carried the session, and tell with which code."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(self._closed)

    async def _drop(self) -> None:
        """End this socket's tasks and close what is left of it; the session may live on."""
        transport, self._transport = self._transport, None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if transport is not None:
            await transport.close()

    # --- asking and waiting -----------------------------------------------------------------------------

    async def request(self, t: str, call: str | None = None, **d: Any) -> Message:
        """Ask and return the body of `ok`, or raise RefusedError. Survives a resume while it waits."""
        key = f"q{next(self._ids)}"
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._requests[key] = answer
        await self.send(_envelope(t, call, d) | {"id": key})
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                message = await answer
        except TimeoutError:
            raise TimeoutError(f"{self.name}: no answer to {t}; the inbox holds {self.inbox}") from None
        finally:
            self._requests.pop(key, None)
        if message["t"] == "err":
            raise RefusedError(message)
        body: Message = message.get("d", {})
        return body

    async def notify(self, t: str, call: str | None = None, **d: Any) -> None:
        """Say something that needs no answer."""
        await self.send(_envelope(t, call, d))

    async def send(self, message: Message) -> None:
        """Number it and send it; without a socket it waits for the resume."""
        async with self._sending:
            await self._send_all([self._delivery.number(message)])

    async def expect(
        self,
        t: str,
        call: str | None = None,
        timeout_s: float = 10.0,
        where: Callable[[Message], bool] | None = None,
    ) -> Message:
        """The next message of this type (and call, and that holds); the others stay in the inbox."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for place, message in enumerate(self.inbox):
                        right_call = call is None or message.get("call") == call
                        if message["t"] == t and right_call and (where is None or where(message)):
                            return self.inbox.pop(place)
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.name}: no {t} came; the inbox holds {self.inbox}") from None

    async def raw(self, frame: bytes, *, text: bool = True) -> None:
        """Send these very bytes as a frame (WebSocket: a text or a binary message)."""
        if self._transport is None:
            raise ClosedError
        await self._transport.raw(frame, text=text)

    def peek_s(self) -> int:
        """The next sequence number, not taken: for a frame that the server will not count."""
        return self._delivery.sent + 1

    def next_s(self) -> int:
        """Take the next sequence number, for a frame that is sent raw."""
        self._delivery.sent += 1
        return self._delivery.sent

    # --- the tasks of one socket ------------------------------------------------------------------------

    async def _send_all(self, messages: list[Message]) -> None:
        """Whatever cannot go out now is in the outbox, or (ping, ack) not worth keeping."""
        transport = self._transport
        if transport is None or not messages:
            return
        try:
            try:
                acknowledged = await transport.send([self._delivery.stamp(message) for message in messages])
            except GapError as gap:  # over HTTP the server says where the gap begins
                self._delivery.drop_through(gap.rx or 0)
                again = self._delivery.unacknowledged()
                acknowledged = await transport.send([self._delivery.stamp(message) for message in again])
            self._delivery.drop_through(acknowledged)
        except (ClosedError, GapError) as broken:
            self._lost(broken if isinstance(broken, ClosedError) else ClosedError(reason=str(broken)))

    async def _read(self, transport: Transport) -> None:
        try:
            while True:
                await self._may_read.wait()
                await self._take(await transport.receive(self._delivery.received))
        except ClosedError as gone:
            self._lost(gone)
        except GapError:
            await transport.close()
            self._lost(ClosedError(reason="a gap"))

    async def _take(self, message: Message) -> None:
        if not self._delivery.accept(message):
            return
        # No await between taking it in and handing it on: this task may be cancelled at any of them.
        match message["t"]:
            case "ping":
                await self.send({"t": "pong", "d": message.get("d", {})})
            case "pong":
                self.pongs += 1
                self._pong.set()
            case "ack":
                pass
            case "bye":
                self.bye = message["d"]
            case _:
                self._deliver(message)
        if self._delivery.owes >= _ACK_AFTER_MESSAGES:
            await self.send({"t": "ack"})

    def _deliver(self, message: Message) -> None:
        self.log.append(message)
        request = self._requests.get(message.get("re", ""))
        if request is not None and not request.done():
            request.set_result(message)
        else:
            self.inbox.append(message)
            self._arrived.set()

    async def _acknowledge(self) -> None:
        """An `ack` of its own, when nothing else carried one for a second."""
        while True:
            await asyncio.sleep(_ACK_AFTER_S)
            if self._delivery.owes:
                await self.send({"t": "ack"})

    async def _heartbeat(self, transport: Transport) -> None:
        while True:
            await asyncio.sleep(self.welcome["hb_s"])
            self._pong.clear()
            await self.send({"t": "ping", "d": {"ts": self.welcome["now"]}})
            try:
                async with asyncio.timeout(_PONG_WITHIN_S):
                    await self._pong.wait()
            except TimeoutError:
                await transport.abort()
                self._lost(ClosedError(reason="no pong"))
                return

    def _lost(self, why: ClosedError) -> None:
        if not self._closed.done():
            self._closed.set_result(why)


def _envelope(t: str, call: str | None, d: dict[str, Any]) -> Message:
    return {"t": t, "d": d} if call is None else {"t": t, "call": call, "d": d}
