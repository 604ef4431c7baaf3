"""`/signal` of the mounted ASGI app: an ordinary ASGI WebSocket, for any server that speaks ASGI."""

from __future__ import annotations

import asyncio
from collections import deque

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from peerline.server.dispatch import Dispatcher
from peerline.server.hub import Hub
from peerline.server.opening import Opening, refusal, too_large
from peerline.server.origin import may_connect
from peerline.signaling import messages as m
from peerline.signaling.session import Session


class AsgiCarrier:
    """A queue and the one task that writes it."""

    is_request = False

    def __init__(self, websocket: WebSocket, unread_bytes: int) -> None:
        self._websocket = websocket
        self._unread_bytes = unread_bytes
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._code: int | None = None
        self._wake = asyncio.Event()
        self.session: Session | None = None

    def send(self, frame: bytes) -> None:
        """See Carrier. A client that does not read loses its socket; it may resume on a new one."""
        if self._code is not None:
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        if self._queued_bytes > self._unread_bytes:
            self._queue.clear()
            self._code = 4413
        self._wake.set()

    def close(self, code: int) -> None:
        """See Carrier."""
        if self._code is None:
            self._code = code
            self._wake.set()

    async def write(self) -> None:
        """Write until closed, by us or by the client."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    frame = self._queue.popleft()
                    await self._websocket.send_text(frame.decode())
                    self._queued_bytes -= len(frame)
                if self._code is not None:
                    if self._websocket.application_state is WebSocketState.CONNECTED:
                        await self._websocket.close(self._code)
                    return
        except (WebSocketDisconnect, RuntimeError):
            return  # it went first; what was not acknowledged waits for its return


async def signal(websocket: WebSocket, hub: Hub, dispatcher: Dispatcher) -> None:
    """Serve one WebSocket from upgrade to end."""
    headers = websocket.headers
    host = headers.get("host", "")
    if not may_connect(headers.get("origin"), host, hub.config.allowed_origins):
        await websocket.send_denial_response(PlainTextResponse("this page may not connect here\n", 403))
        return
    offered = websocket.scope.get("subprotocols") or []
    await websocket.accept(subprotocol=m.SUBPROTOCOL if m.SUBPROTOCOL in offered else None)
    carrier = AsgiCarrier(websocket, hub.config.limits.unread_bytes)
    address = websocket.client.host if websocket.client else ""

    def opened(session: Session) -> None:
        carrier.session = session

    opening = Opening(hub, dispatcher, carrier, host=host, address=address, on_open=opened)
    reader = hub.tasks.spawn(_read(websocket, carrier, opening, dispatcher), "websocket reader")
    writer = hub.tasks.spawn(carrier.write(), "websocket writer")
    try:
        await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        opening.close()
        if carrier.session is not None:
            hub.detach(carrier.session, carrier)
        reader.cancel()
        # What was to be said before the close is still written, if the other side takes it.
        if not writer.done() and websocket.client_state is not WebSocketState.CONNECTED:
            writer.cancel()
        carrier.close(1000)
        await asyncio.wait((writer,), timeout=2)
        writer.cancel()


async def _read(websocket: WebSocket, carrier: AsgiCarrier, opening: Opening, dispatcher: Dispatcher) -> None:
    while True:
        try:
            message = await websocket.receive()
        except (RuntimeError, WebSocketDisconnect):
            return
        if message["type"] != "websocket.receive":
            return
        text = message.get("text")
        if text is None:
            carrier.close(1003)
            return
        frame = text.encode("utf-8", "surrogatepass")
        if len(frame) > m.MAX_FRAME_BYTES:
            carrier.send(refusal(too_large()))
            carrier.close(1009)
            return
        session = carrier.session
        if session is None:
            opening.on_frame(frame)
        elif session.carrier is not carrier:
            return
        elif not dispatcher.on_frame(session, frame):
            carrier.close(4409)
            return
