"""The three ways to carry a session (docs/protocol.md, section 2): WebSocket, SSE, long poll."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from .delivery import GapError, Message

Kind = Literal["websocket", "sse", "poll"]

SUBPROTOCOL = "peerline.v1.json"
FRAME_BYTES = 65_536
BATCH = 64
_FIRST_HEARTBEAT_S = 5.0  # a stream that shows nothing for that long sits behind a buffering proxy
_POLL_S = 25
_TLS = ssl.create_default_context()  # made once: reading all the certificates takes longer than a call


class ClosedError(Exception):
    """What carried the session is gone. `code`: its close code or HTTP status, if any."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".rstrip())
        self.code = code


class Transport(Protocol):
    """What the client needs of each of them. Only one task receives; sending is not concurrent either."""

    async def open(self, hello: Message) -> Message: ...
    async def receive(self, rx: int) -> Message: ...
    async def send(self, messages: list[Message]) -> int: ...
    async def raw(self, frame: bytes, *, text: bool = True) -> None: ...
    async def leave(self) -> None: ...
    async def abort(self) -> None: ...
    async def close(self) -> None: ...
    def stop_reading(self) -> None: ...


def encode(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def frames(messages: list[Message]) -> Iterator[bytes]:
    """As few frames as these messages fit in: one message alone, several as a batch."""
    batch: list[bytes] = []
    room = 0
    for message in map(encode, messages):
        if batch and (len(batch) == BATCH or len(message) + 1 > room):
            yield _frame(batch)
            batch = []
        if not batch:
            room = FRAME_BYTES - 2
        batch.append(message)
        room -= len(message) + 1
    if batch:
        yield _frame(batch)


def _frame(batch: list[bytes]) -> bytes:
    return batch[0] if len(batch) == 1 else b"[" + b",".join(batch) + b"]"


def decode(frame: str | bytes) -> list[Message]:
    """The messages of a frame: one object, or an array of them."""
    content = json.loads(frame)
    return content if isinstance(content, list) else [content]


def _reset(sock: Any) -> None:
    """Make the close of this socket an RST: as a crash, not as a farewell."""
    if sock.fileno() == -1:
        return  # it is closed already
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class WebSocketTransport:
    """Section 2.1: every text message is a frame."""

    def __init__(self, url: str, *, origin: str | None = None) -> None:
        self._url = "ws" + url.removeprefix("http") + "/signal"
        self._origin = Origin(origin) if origin else None
        self._socket: ClientConnection | None = None
        self._waiting: deque[Message] = deque()

    @property
    def _open_socket(self) -> ClientConnection:
        if self._socket is None:
            raise ClosedError
        return self._socket

    async def open(self, hello: Message) -> Message:
        # No pings of the library's own, no compression: the protocol has its own signs of life.
        self._socket = await connect(
            self._url, subprotocols=[Subprotocol(SUBPROTOCOL)], origin=self._origin, proxy=None,
            compression=None, ping_interval=None, max_size=2**20, open_timeout=10, close_timeout=2,
        )  # fmt: skip
        await self.send([hello])
        return await self.receive(0)

    async def receive(self, rx: int) -> Message:
        while not self._waiting:
            try:
                self._waiting.extend(decode(await self._open_socket.recv()))
            except ConnectionClosed as gone:
                raise ClosedError(gone.rcvd.code if gone.rcvd else None) from gone
        return self._waiting.popleft()

    async def send(self, messages: list[Message]) -> int:
        for frame in frames(messages):
            await self.raw(frame)
        return 0

    async def raw(self, frame: bytes, *, text: bool = True) -> None:
        try:
            await self._open_socket.send(frame, text=text)
        except ConnectionClosed as gone:
            raise ClosedError(gone.rcvd.code if gone.rcvd else None) from gone

    async def leave(self) -> None:
        await self.send([{"t": "bye"}])

    async def abort(self) -> None:
        transport = self._open_socket.transport
        _reset(transport.get_extra_info("socket"))
        transport.abort()

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    def stop_reading(self) -> None:
        transport = self._open_socket.transport
        transport.pause_reading()


class _HttpTransport:
    """Section 2.2: what server-sent events and long poll have in common."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=10, trust_env=False, verify=_TLS)
        self._session = ""
        self._waiting: deque[Message] = deque()

    async def open(self, hello: Message) -> Message:
        answer = await self._ask("POST", "/signal/sessions", content=encode(hello))
        message: Message = answer.json()
        if message["t"] == "welcome":
            self._session = f"/signal/sessions/{message['d']['sid']}"
            self._http.headers["Authorization"] = f"Bearer {message['d']['key']}"
            resumed = message["d"]["res"]
            await self._begin(hello["d"]["res"]["rx"] if resumed else 0)
        return message

    async def _begin(self, rx: int) -> None:
        """Open what receives, once the session is there."""

    async def send(self, messages: list[Message]) -> int:
        acknowledged = 0
        for frame in frames(messages):
            acknowledged = await self._post(frame)
        return acknowledged

    async def raw(self, frame: bytes, *, text: bool = True) -> None:
        await self._post(frame)

    async def _post(self, frame: bytes) -> int:
        answer = await self._ask("POST", f"{self._session}/messages", content=frame)
        if answer.status_code == 409:
            raise GapError(answer.json()["rx"])
        if answer.status_code != 200:
            raise ClosedError(answer.status_code, answer.text)
        acknowledged: int = answer.json()["a"]
        return acknowledged

    async def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **rest)
        except (httpx.HTTPError, RuntimeError) as broken:  # RuntimeError: aborted before it was sent
            raise ClosedError(reason=repr(broken)) from broken

    async def leave(self) -> None:
        await self._ask("DELETE", self._session)

    async def abort(self) -> None:
        await self._http.aclose()

    async def close(self) -> None:
        await self._http.aclose()

    def stop_reading(self) -> None:
        """Nobody asks for more: the client has ended the task that received."""


class SseTransport(_HttpTransport):
    """Server-sent events: one long answer whose lines are events."""

    _stream: httpx.Response
    _lines: AsyncIterator[str]

    async def _begin(self, rx: int) -> None:
        request = self._http.build_request(
            "GET", f"{self._session}/events", params={"rx": rx}, timeout=httpx.Timeout(10, read=None)
        )
        try:
            self._stream = await self._http.send(request, stream=True)
        except (httpx.HTTPError, RuntimeError) as broken:
            raise ClosedError(reason=repr(broken)) from broken
        if self._stream.status_code != 200:
            raise ClosedError(self._stream.status_code)
        self._lines = self._read_lines()
        async with asyncio.timeout(_FIRST_HEARTBEAT_S):
            first = await anext(self._lines)
        if first != ":hb":
            raise ClosedError(reason=f"a stream that begins with {first!r}")

    async def _read_lines(self) -> AsyncIterator[str]:
        # Not httpx's own aiter_lines: it also breaks at U+2028 and its like, which JSON may hold.
        rest = b""
        async for piece in self._stream.aiter_raw():
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r").decode()

    async def receive(self, rx: int) -> Message:
        data: list[str] = []
        while True:
            try:
                line = await anext(self._lines)
            except StopAsyncIteration:
                raise ClosedError(reason="the stream ended") from None
            except (httpx.HTTPError, httpx.StreamError, RuntimeError) as broken:
                raise ClosedError(reason=repr(broken)) from broken
            if line.startswith("data:"):
                data.append(line.removeprefix("data:").removeprefix(" "))
            elif not line and data:
                message: Message = json.loads("\n".join(data))
                return message

    async def abort(self) -> None:
        _reset(self._stream.extensions["network_stream"].get_extra_info("socket"))
        await super().abort()


class PollTransport(_HttpTransport):
    """Long poll: one request after the other, each answered when there is something to tell."""

    _is_over = False

    async def receive(self, rx: int) -> Message:
        while not self._waiting:
            if self._is_over:
                raise ClosedError(reason="the server said bye")
            answer = await self._ask(
                "GET", f"{self._session}/poll", params={"rx": rx, "wait_s": _POLL_S}, timeout=_POLL_S + 10
            )
            if answer.status_code != 200:
                raise ClosedError(answer.status_code, answer.text)
            self._waiting.extend(answer.json())
            self._is_over = any(message["t"] == "bye" for message in self._waiting)
        return self._waiting.popleft()


def transport_of(kind: Kind, url: str) -> Transport:
    match kind:
        case "websocket":
            return WebSocketTransport(url)
        case "sse":
            return SseTransport(url)
        case "poll":
            return PollTransport(url)
