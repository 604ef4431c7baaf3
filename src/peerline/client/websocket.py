"""The session over a WebSocket (docs/protocol.md, section 2.1), with pings as sign of life (section 4)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import picows

from peerline.client.carriage import OPEN_S, PROBE_S, Carriage, CarriageEnd, Kind, Opened, Owner, Server, no_way
from peerline.client.envelope import Envelope, read_frame
from peerline.client.greeting import read_welcome, write_hello
from peerline.signaling.messages import MAX_FRAME_BYTES, SUBPROTOCOL, Hello

__all__ = ["open_websocket"]

# What a close code asks for; any other means a lost network: resume.
_ENDS = {
    4400: CarriageEnd("rejoin", "protocol"),
    4410: CarriageEnd("rejoin", "gone"),
    4429: CarriageEnd("rejoin", "flood"),
    4440: CarriageEnd("stop", "replaced"),
}
_BYE_CODE: Any = 1000
_LEAVE_S = 2.0
# picows names the addresses of every connection: nobody needs to know.
_log = logging.getLogger("peerline.client.websocket")
_log.setLevel(logging.ERROR)
_TEXT = picows.WSMsgType.TEXT
# A frame of the server is as long as one of ours at most; a header's worth of slack.
_MAX_WIRE_BYTES = MAX_FRAME_BYTES * 2


async def open_websocket(server: Server, hello: Hello) -> Opened:
    """See `Open`."""
    listener = _Listener()
    try:
        async with asyncio.timeout(OPEN_S):
            transport, _ = await picows.ws_connect(
                lambda: listener, f"{server.url.websocket}/signal", ssl_context=server.tls,
                websocket_handshake_timeout=OPEN_S, max_redirects=0, logger_name=_log, max_frame_size=_MAX_WIRE_BYTES,
                extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
            )  # fmt: skip
            try:
                transport.send(_TEXT, write_hello(hello))
                welcome = read_welcome(await listener.first())
            except BaseException:
                transport.disconnect(graceful=False)
                raise
    except (picows.WSError, OSError) as error:  # TimeoutError is one, ssl.SSLError too
        raise no_way(error) from error
    return Opened(_WebSocketCarriage(server, transport, listener, welcome.hb_s), welcome)


class _Listener(picows.WSListener):
    """Puts frames together and hands envelopes on; keeps them until somebody listens."""

    def __init__(self) -> None:
        self.carriage: _WebSocketCarriage | None = None
        self.early: list[Envelope] = []
        self._fragments = b""
        self._code = 0
        self._is_gone = False
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def first(self) -> Envelope | None:
        """The first message; None if the socket is closed instead."""
        await self._first
        return self.early.pop(0) if self.early else None

    def listen(self, carriage: _WebSocketCarriage) -> list[Envelope]:
        """From now on everything goes to the carriage; gives what came before."""
        self.carriage = carriage
        early, self.early = self.early, []
        if self._is_gone:
            asyncio.get_running_loop().call_soon(carriage.lost, self._code)
        return early

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        kind = frame.msg_type
        if kind is _TEXT or kind is picows.WSMsgType.CONTINUATION:
            payload = self._fragments + frame.get_payload_as_bytes()
            self._fragments = b"" if frame.fin else payload
            if not frame.fin:
                if len(payload) > _MAX_WIRE_BYTES:
                    transport.disconnect(graceful=False)
                return
            for envelope in read_frame(payload):
                if self.carriage is not None:
                    self.carriage.receive(envelope)
                else:
                    self.early.append(envelope)
            self._wake()
        elif kind is picows.WSMsgType.CLOSE:
            self._code = int.from_bytes(frame.get_payload_as_bytes()[:2])
            transport.disconnect()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self._is_gone = True
        self._wake()
        if self.carriage is not None:
            self.carriage.lost(self._code)

    def _wake(self) -> None:
        if not self._first.done():
            self._first.set_result(None)


class _WebSocketCarriage(Carriage):
    kind: Kind = "websocket"

    def __init__(self, server: Server, transport: picows.WSTransport, listener: _Listener, heartbeat_s: float) -> None:
        self._clock = server.clock
        self._transport = transport
        self._listener = listener
        self._heartbeat_s = heartbeat_s
        self._owner: Owner | None = None
        self._is_closed = False
        self._heartbeat: Any = None
        self._deadline: Any = None

    def start(self, owner: Owner) -> None:
        self._owner = owner
        self._beat_later()
        for envelope in self._listener.listen(self):
            self.receive(envelope)

    def send(self, frame: bytes) -> None:
        if not self._is_closed and not self._transport.is_disconnected:
            self._transport.send(_TEXT, frame)

    def probe(self) -> None:
        if self._deadline is None and not self._is_closed:
            self.send(b'{"t":"ping","d":{"ts":%d}}' % int(self._clock.time() * 1000))
            self._deadline = self._clock.call_later(PROBE_S, lambda: self._end(CarriageEnd("resume", "silent")))

    async def leave(self) -> None:
        self.send(b'{"t":"bye"}')
        if not self._is_closed and not self._transport.is_disconnected:
            self._transport.send_close(_BYE_CODE)
        self._let_go()
        try:
            async with asyncio.timeout(_LEAVE_S):
                await self._transport.wait_disconnected()
        except TimeoutError:
            self._transport.disconnect(graceful=False)

    def close(self) -> None:
        self._let_go()
        self._transport.disconnect(graceful=False)

    def receive(self, envelope: Envelope) -> None:
        """From the listener. Whatever arrives shows that the other side lives."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if envelope.t == "ping":
            self.send(b'{"t":"pong","d":%b}' % bytes(envelope.d))
        elif envelope.t != "pong" and self._owner is not None:
            self._owner.receive(envelope)

    def lost(self, code: int) -> None:
        """The socket is gone."""
        self._end(_ENDS.get(code, CarriageEnd("resume", "lost")))

    def _beat_later(self) -> None:
        def beat() -> None:
            self.probe()
            self._beat_later()

        self._heartbeat = self._clock.call_later(self._heartbeat_s, beat)

    def _end(self, end: CarriageEnd) -> None:
        owner = self._owner
        self.close()
        if owner is not None:
            owner.ended(end)

    def _let_go(self) -> None:
        self._is_closed = True
        self._owner = None
        for timer in (self._heartbeat, self._deadline):
            if timer is not None:
                timer.cancel()
        self._heartbeat = self._deadline = None
