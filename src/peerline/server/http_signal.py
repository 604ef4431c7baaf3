"""The signaling protocol over HTTP, for where WebSocket is blocked (docs/protocol.md, section 2.2)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from peerline.errors import AuthError, PeerlineError, RefusedError
from peerline.server.dispatch import Dispatcher
from peerline.server.hub import Hub
from peerline.server.opening import refusal, too_large
from peerline.server.origin import may_connect
from peerline.signaling import messages as m
from peerline.signaling.session import Session

Endpoint = Callable[[Request], Awaitable[Response]]

HEARTBEAT_S = 15.0
STATUS = {
    "auth": 401, "forbidden": 403, "gone": 410, "taken": 409, "rate": 429, "too_large": 413, "unavailable": 503,
}  # fmt: skip
NO_STORE = {"Cache-Control": "no-store"}


class HttpCarrier:
    """Collects frames for one stream or poll."""

    is_request = True

    def __init__(self, unread_bytes: int) -> None:
        self._unread_bytes = unread_bytes
        self._queued_bytes = 0
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self.is_closed = False

    def send(self, frame: bytes) -> None:
        """See Carrier."""
        self._frames.append(frame)
        self._queued_bytes += len(frame)
        if self._queued_bytes > self._unread_bytes:
            self._frames.clear()
            self.is_closed = True
        self._wake.set()

    def close(self, code: int) -> None:
        """See Carrier."""
        self.is_closed = True
        self._wake.set()

    async def take(self, wait_s: float) -> list[bytes]:
        """What is there, after waiting for it; empty after `wait_s`."""
        if not self._frames and not self.is_closed:
            try:
                await asyncio.wait_for(self._wake.wait(), wait_s)
            except TimeoutError:
                return []
        self._wake.clear()
        frames = list(self._frames)
        self._frames.clear()
        self._queued_bytes = 0
        return frames


class HttpSignal:
    """The routes under `/signal/sessions`."""

    def __init__(self, hub: Hub, dispatcher: Dispatcher) -> None:
        self._hub = hub
        self._dispatcher = dispatcher

    def routes(self) -> list[Route]:
        """For a Starlette app."""
        base = "/signal/sessions"
        return [
            Route(base, self._guarded(self.open), methods=["POST"]),
            Route(base + "/{sid}/events", self._guarded(self.events), methods=["GET"]),
            Route(base + "/{sid}/poll", self._guarded(self.poll), methods=["GET"]),
            Route(base + "/{sid}/messages", self._guarded(self.messages), methods=["POST"]),
            Route(base + "/{sid}/bye", self._guarded(self.bye), methods=["POST"]),
            Route(base + "/{sid}", self._guarded(self.leave), methods=["DELETE"]),
        ]

    async def open(self, request: Request) -> Response:
        """`hello` → `welcome`."""
        body = await self._body(request)
        address = request.client.host if request.client else ""
        _, welcome = await self._hub.hello(body, host=request.headers.get("host", ""), address=address)
        return _json(welcome)

    async def messages(self, request: Request) -> Response:
        """Take a frame; answer with what the server has."""
        session = self._session(request)
        frame = await self._body(request)
        is_fine = self._dispatcher.on_frame(session, frame)
        if session.is_ended:
            raise _gone()
        if not is_fine:
            return _json(b'{"rx":%d}' % session.received, 409)
        session.told = session.received
        return _json(b'{"a":%d}' % session.received)

    async def events(self, request: Request) -> Response:
        """Server-sent events."""
        session = self._session(request)
        self._acknowledge(session, request)
        carrier = HttpCarrier(self._hub.config.limits.unread_bytes)
        headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
        self._hub.attach(session, carrier)
        return StreamingResponse(
            self._stream(session, carrier), media_type="text/event-stream; charset=utf-8", headers=headers
        )

    async def poll(self, request: Request) -> Response:
        """Long poll: what there is, or what comes within `wait_s`."""
        session = self._session(request)
        self._acknowledge(session, request)
        try:
            asked_s = float(request.query_params.get("wait_s", "25"))
        except ValueError:
            raise PeerlineError("wait_s is no number", code="bad") from None
        # Not so long that a client which waits passes for dead.
        wait_s = min(2 * self._hub.config.signaling.heartbeat_s, max(0.0, asked_s))
        carrier = HttpCarrier(self._hub.config.limits.unread_bytes)
        self._hub.attach(session, carrier)
        waiting = asyncio.ensure_future(carrier.take(wait_s))
        gone = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
            frames = waiting.result() if waiting.done() else []
        finally:
            waiting.cancel()
            gone.cancel()
            self._hub.detach(session, carrier)
        return _json(b"[%b]" % b",".join(frames))

    async def leave(self, request: Request) -> Response:
        """Log out."""
        self._end(self._session(request))
        return Response(status_code=204)

    async def bye(self, request: Request) -> Response:
        """Log out while the page unloads: `navigator.sendBeacon` sends no headers, so the key is in the body."""
        try:
            key = msgspec.json.decode(await self._body(request), type=dict[str, str]).get("key", "")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise PeerlineError("the body is no object with a key", code="bad") from None
        self._end(self._find(request.path_params["sid"], key))
        return Response(status_code=204)

    async def _stream(self, session: Session, carrier: HttpCarrier) -> AsyncIterator[bytes]:
        try:
            yield b":hb\n\n"
            while True:
                frames = await carrier.take(min(HEARTBEAT_S, self._hub.config.signaling.heartbeat_s))
                session.heard = self._hub.coarse_now  # an open stream is a sign of life
                if frames:
                    yield b"".join(map(_event, frames))
                elif carrier.is_closed:
                    return
                else:
                    yield b":hb\n\n"
        finally:
            self._hub.detach(session, carrier)

    async def _body(self, request: Request) -> bytes:
        """The whole body, if it comes in time and is no larger than a frame."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._hub.config.signaling.hello_timeout_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > m.MAX_FRAME_BYTES:
                        raise too_large()
        except TimeoutError:
            raise PeerlineError("the body did not come in time", code="bad") from None
        return bytes(body)

    def _end(self, session: Session) -> None:
        self._hub.end(session, "hangup")
        session.drop_carrier(1000)

    def _session(self, request: Request) -> Session:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        session = self._find(request.path_params["sid"], key if scheme.lower() == "bearer" else "")
        session.heard = self._hub.coarse_now
        return session

    def _find(self, sid: str, key: str) -> Session:
        session = self._hub.find(sid, key)
        if session is None:
            if sid in self._hub.sessions and not self._hub.sessions[sid].is_ended:
                raise AuthError("the key is not that of the session")
            raise _gone()
        return session

    @staticmethod
    def _acknowledge(session: Session, request: Request) -> None:
        rx = request.query_params.get("rx") or request.headers.get("last-event-id") or "0"
        if not rx.isascii() or not rx.isdigit() or len(rx) > 16:
            raise PeerlineError("rx is no number", code="bad")
        session.acknowledge(int(rx))

    def _guarded(self, act: Endpoint) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            headers = request.headers
            if not may_connect(headers.get("origin"), headers.get("host"), self._hub.config.allowed_origins):
                return _json(refusal(RefusedError("this page may not connect here")), 403)
            try:
                return await act(request)
            except ClientDisconnect:
                return Response(status_code=499)
            except PeerlineError as error:
                return _json(refusal(error), STATUS.get(error.code, 400))

        return endpoint


def _gone() -> RefusedError:
    return RefusedError("the session is over", code="gone", hint="Say hello anew.")


def _event(frame: bytes) -> bytes:
    """One server-sent event. A body may hold line ends between its tokens; a `data:` line must not."""
    frame = frame.replace(b"\r", b" ").replace(b"\n", b" ")
    if frame.startswith(b'{"s":'):
        return b"id: %b\ndata: %b\n\n" % (frame[5 : frame.index(b",")], frame)
    return b"data: %b\n\n" % frame


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, NO_STORE, "application/json")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
