"""uvicorn's HTTP/1.1, less patient: half a request head holds no connection for ever and fills no memory."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def patient_for(patience_s: float) -> type[HttpToolsProtocol]:
    """A protocol class for uvicorn's `Config(http=…)`: a request head must be whole after `patience_s` seconds."""

    class Protocol(HttpToolsProtocol):
        """One connection."""

        _deadline: asyncio.TimerHandle | None = None
        _head_bytes: int | None = 0  # of those reads that ended within the head; None: not in a head
        _reading = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._be_patient()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_is_whole()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            # A read may hold a whole head and a long body: it is known afterwards whether the head goes on.
            self._reading = len(data)
            super().data_received(data)
            if self._head_bytes is not None:
                self._head_bytes += len(data)
                if self._head_bytes > MAX_HEAD_BYTES:
                    self._refuse(TOO_LARGE)
            self._reading = 0

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._head_bytes is None:  # not the first of this connection
                self._be_patient()

        def on_headers_complete(self) -> None:
            self._head_is_whole()
            super().on_headers_complete()

        def _be_patient(self) -> None:
            self._head_bytes = -self._reading  # what else is in this read may be a body's
            self._deadline = self.loop.call_later(patience_s, self._refuse, TIMEOUT)

        def _head_is_whole(self) -> None:
            self._head_bytes = None
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _refuse(self, answer: bytes) -> None:
            if not self.transport.is_closing():
                self.transport.write(answer)
                self.transport.close()

    return Protocol
