"""`/signal` of the stand-alone server: picows takes the socket over from uvicorn after the request head.

Three times the messages per second of an ASGI WebSocket: no task, no queue and no dictionary per message.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)  # fmt: skip
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not in its stubs

from peerline.server.dispatch import Dispatcher
from peerline.server.hub import Hub
from peerline.server.opening import Opening, refusal, too_large
from peerline.server.origin import may_connect
from peerline.signaling import messages as m
from peerline.signaling.session import Session

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger("peerline.signaling")
# picows names the addresses of every connection: nobody needs to know.
picows_log = logging.getLogger("peerline.picows")
picows_log.setLevel(logging.ERROR)

# Two bytes of slack: a frame of exactly the limit is allowed, the header is not counted by us.
MAX_WIRE_BYTES = m.MAX_FRAME_BYTES + 1024
READ_BUFFER_BYTES = 2048
TEXT = WSMsgType.TEXT


class FastCarrier(WSListener):
    """One WebSocket on picows."""

    __slots__ = ("_dispatcher", "_fragments", "_hub", "_opening", "_session", "_transport", "_where", "send")
    is_request = False

    def __init__(self, hub: Hub, dispatcher: Dispatcher, host: str, address: str) -> None:
        self._hub = hub
        self._dispatcher = dispatcher
        self._where = (host, address)
        self._session: Session | None = None
        self._opening: Opening | None = None
        self._transport: WSTransport | None = None
        self._fragments: bytes | None = None
        self.send: Callable[[bytes], None] = _drop  # an attribute, not a method: one call less a message

    # Carrier -----------------------------------------------------------------------------------------

    def close(self, code: int) -> None:
        """See Carrier."""
        transport = self._let_go()
        if transport is not None:
            transport.send_close(code)  # type: ignore[arg-type]  # takes any code
            transport.disconnect(graceful=True)

    # WSListener --------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade is done."""
        self._transport = transport
        self.send = functools.partial(transport.send, TEXT)
        transport.underlying_transport.set_write_buffer_limits(high=self._hub.config.limits.unread_bytes)
        host, address = self._where
        self._where = ("", "")  # the address has served: nothing keeps it
        self._opening = Opening(self._hub, self._dispatcher, self, host=host, address=address, on_open=self._opened)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame arrived."""
        kind = frame.msg_type
        if kind == TEXT and frame.fin:
            payload = frame.get_payload_as_bytes()
        elif kind in (TEXT, WSMsgType.CONTINUATION):
            whole = self._assemble(frame)
            if whole is None:
                return
            payload = whole
        elif kind == WSMsgType.CLOSE:
            self._let_go()
            transport.send_close(frame.get_close_code() or WSCloseCode.OK)
            transport.disconnect(graceful=True)
            return
        elif kind == WSMsgType.BINARY:
            self.close(1003)
            return
        else:  # ping, answered by picows, or pong
            return
        if len(payload) > m.MAX_FRAME_BYTES:
            self.send(refusal(too_large()))
            self.close(1009)
            return
        session = self._session
        if session is None:
            if self._opening is not None:
                self._opening.on_frame(payload)
        elif session.carrier is self and not self._dispatcher.on_frame(session, payload):
            self.close(4409)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone."""
        self._let_go()
        if self._opening is not None:
            self._opening.close()
            self._opening = None
        if self._session is not None:
            self._hub.detach(self._session, self)

    def pause_writing(self) -> None:
        """More than `unread_bytes` wait: the client does not read. It may resume on a new socket."""
        transport = self._let_go()
        if transport is not None:
            log.info("a client does not read: its socket is closed")
            transport.underlying_transport.abort()

    # Inside ------------------------------------------------------------------------------------------

    def _let_go(self) -> WSTransport | None:
        transport, self._transport = self._transport, None
        self.send = _drop
        return transport

    def _opened(self, session: Session) -> None:
        self._session = session
        self._opening = None

    def _assemble(self, frame: WSFrame) -> bytes | None:
        """A message in several frames (RFC 6455, section 5.4): the whole once it is complete."""
        self._fragments = whole = (self._fragments or b"") + frame.get_payload_as_bytes()
        if frame.fin or len(whole) > m.MAX_FRAME_BYTES:
            self._fragments = None
            return whole
        return None


def _drop(frame: bytes) -> None:
    """What is sent after the end is lost; the session keeps it for its next carrier."""


class _Protocol(WSProtocol):  # type: ignore[misc]  # picows has no types
    """picows' protocol with the one method it lacks: being handed the request head that uvicorn has read."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        view = self.get_buffer(len(data))
        view[: len(data)] = data
        self.buffer_updated(len(data))


def fast_websocket(hub: Hub, dispatcher: Dispatcher, path: str = "/signal") -> Callable[..., asyncio.BaseProtocol]:
    """What uvicorn's `Config(ws=…)` takes: makes the protocol that takes an upgraded connection over."""

    def protocol(config: Any, server_state: Any, app_state: Any, **_: Any) -> asyncio.BaseProtocol:
        made: list[_Protocol] = []

        def listen(request: WSUpgradeRequest) -> Any:
            return _accept(request, made[0], hub, dispatcher, path)

        made.append(
            _Protocol(
                None, None, False, listen, picows_log, True, 5.0, False, 20.0, 20.0, WSAutoPingStrategy.PING_WHEN_IDLE,
                True, MAX_WIRE_BYTES, None, READ_BUFFER_BYTES,
            )
        )  # fmt: skip
        return made[0]

    return protocol


def _accept(request: WSUpgradeRequest, protocol: Any, hub: Hub, dispatcher: Dispatcher, path: str) -> Any:
    if request.path.split(b"?", 1)[0] != path.encode():
        return None  # 404
    headers = request.headers
    host = headers.get("host", "")
    if not may_connect(headers.get("origin"), host, hub.config.allowed_origins):
        return _deny(403, b"this page may not connect here\n")
    offered = [word.strip() for word in headers.get("sec-websocket-protocol", "").split(",")]
    extra = {"Sec-WebSocket-Protocol": m.SUBPROTOCOL} if m.SUBPROTOCOL in offered else {}
    peer = protocol.transport.underlying_transport.get_extra_info("peername")
    carrier = FastCarrier(hub, dispatcher, host, peer[0] if isinstance(peer, tuple) else "")
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(extra), carrier)


def _deny(status: int, body: bytes) -> Any:
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, body), None)
