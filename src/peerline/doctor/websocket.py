"""A WebSocket to the server: text frames out, text frames in."""

from __future__ import annotations

import asyncio
import ssl
from typing import Self

import picows

from peerline.doctor.http import UnreachableError
from peerline.signaling.messages import SUBPROTOCOL

WITHIN_S = 5.0


class WebSocket:
    """One connection. Use it in `async with`; what goes wrong is an UnreachableError."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        self._url = url
        self._tls = tls
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._transport: picows.WSTransport | None = None

    def send(self, frame: bytes) -> None:
        """One text message."""
        assert self._transport is not None
        self._transport.send(picows.WSMsgType.TEXT, frame)

    async def receive(self) -> bytes:
        """The next text message."""
        try:
            frame = await asyncio.wait_for(self._frames.get(), WITHIN_S)
        except TimeoutError:
            raise UnreachableError(f"nothing came over the WebSocket within {WITHIN_S:g} s", code="timeout") from None
        if frame is None:
            raise UnreachableError("the server closed the WebSocket", code="closed")
        return frame

    async def __aenter__(self) -> Self:
        try:
            self._transport, _ = await picows.ws_connect(
                lambda: _Listener(self._frames), self._url, ssl_context=self._tls,
                websocket_handshake_timeout=WITHIN_S, max_redirects=0,
                extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
            )  # fmt: skip
        except (picows.WSError, OSError, TimeoutError) as error:
            raise UnreachableError(f"no WebSocket: {_reason(error)}", code="websocket") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.disconnect(graceful=True)


class _Listener(picows.WSListener):
    def __init__(self, frames: asyncio.Queue[bytes | None]) -> None:
        self._frames = frames

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type is picows.WSMsgType.TEXT:
            self._frames.put_nowait(frame.get_payload_as_bytes())
        elif frame.msg_type is picows.WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self._frames.put_nowait(None)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"the upgrade was not answered within {WITHIN_S:g} s"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
