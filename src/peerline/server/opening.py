"""The first seconds of a WebSocket, whichever door it came through: hello, welcome, then frames flow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from peerline.errors import PeerlineError, RemoteProtocolError
from peerline.server.dispatch import Dispatcher, error_body
from peerline.server.hub import Hub, NoHelloError
from peerline.signaling import messages as m
from peerline.signaling.session import Carrier, Session

log = logging.getLogger("peerline.signaling")

# A client that says more than this before it is welcome does not follow the protocol.
MAX_EARLY_FRAMES = 16


def refusal(error: PeerlineError) -> bytes:
    """An `err` that refuses a hello: it has no number."""
    return b'{"t":"err","d":%b}' % msgspec.json.encode(error_body(error))


class Opening:
    """Waits for `hello`, answers it, and hands the session to `on_open`."""

    def __init__(
        self,
        hub: Hub,
        dispatcher: Dispatcher,
        carrier: Carrier,
        *,
        host: str,
        address: str,
        on_open: Callable[[Session], None],
    ) -> None:
        self._hub = hub
        self._dispatcher = dispatcher
        self._carrier = carrier
        self._host = host
        self._address = address
        self._on_open = on_open
        self._early: list[bytes] = []
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        wait_s = hub.config.signaling.hello_timeout_s
        self._deadline = asyncio.get_running_loop().call_later(wait_s, self._too_late)

    def on_frame(self, frame: bytes) -> None:
        """A frame before the session is open: the first one is the hello."""
        if self._is_closed:
            return
        if self._task is None:
            self._task = self._hub.tasks.spawn(self._open(frame), "hello")
        elif len(self._early) < MAX_EARLY_FRAMES:
            self._early.append(frame)
        else:
            self._refuse(RemoteProtocolError("frames before the welcome"), 4400)

    def close(self) -> None:
        """The socket is gone."""
        self._is_closed = True
        self._deadline.cancel()

    async def _open(self, frame: bytes) -> None:
        try:
            session, welcome = await self._hub.hello(
                frame, host=self._host, address=self._address, is_wanted=lambda: not self._is_closed
            )
        except PeerlineError as error:
            self._refuse(error, 4400 if isinstance(error, NoHelloError) else 4401)
            return
        except Exception:
            log.exception("a hello failed")
            self._refuse(PeerlineError("the server cannot do it now", code="unavailable", retry_ms=1000), 4401)
            return
        if self._is_closed:
            return  # the session waits for its device to come back, as after any lost socket
        self.close()
        self._carrier.send(welcome)
        self._hub.attach(session, self._carrier)
        self._on_open(session)
        for early in self._early:
            if not self._dispatcher.on_frame(session, early):
                self._carrier.close(4409)
                return

    def _refuse(self, error: PeerlineError, code: int) -> None:
        if not self._is_closed:
            self.close()
            self._carrier.send(refusal(error))
            self._carrier.close(code)

    def _too_late(self) -> None:
        if self._task is None:
            self._refuse(RemoteProtocolError("no hello in time"), 4408)
        # Else the store is slow: it has time-outs of its own.


def too_large() -> PeerlineError:
    """A frame over the limit."""
    return PeerlineError(f"a frame may have {m.MAX_FRAME_BYTES} bytes", code="too_large", hint="Send less at once.")
