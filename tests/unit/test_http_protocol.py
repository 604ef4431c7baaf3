"""How many bytes of a request's head the server reads: those of a body are not among them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from peerline.server.http_protocol import MAX_HEAD_BYTES, patient_for
from peerline.signaling.messages import MAX_FRAME_BYTES

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % MAX_FRAME_BYTES
WHOLE = HEAD + bytes(MAX_FRAME_BYTES)


class Wire(asyncio.Transport):
    """What the server answers, and whether it has hung up."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def answer(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def statuses_after(*reads: bytes) -> list[int]:
    """Of the answers to what arrives in these reads."""
    wire, config = Wire(), uvicorn.Config(answer, log_config=None, lifespan="off")
    config.load()
    protocol = patient_for(60)(config=config, server_state=ServerState(), app_state={})
    protocol.connection_made(wire)
    for data in reads:
        protocol.data_received(data)
        for _ in range(20):  # turns of the loop, in which the application answers
            await asyncio.sleep(0)
    protocol.connection_lost(None)
    return [int(line.split(b" ")[1]) for line in wire.written.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def pieces(size: int) -> tuple[bytes, ...]:
    return tuple(WHOLE[at : at + size] for at in range(0, len(WHOLE), size))


@pytest.mark.parametrize(
    "reads",
    [(WHOLE,), (HEAD, WHOLE[len(HEAD) :]), (WHOLE[:20], WHOLE[20:]), pieces(1000)],
    ids=["together", "apart", "half a head first", "little by little"],
)
async def test_a_request_of_the_longest_frame_is_taken_however_it_arrives(reads: tuple[bytes, ...]) -> None:
    assert await statuses_after(*reads) == [204]


async def test_the_beginning_of_the_next_request_may_come_with_the_end_of_a_long_one() -> None:
    assert await statuses_after(HEAD, WHOLE[len(HEAD) :] + HEAD[:20], WHOLE[20:]) == [204, 204]


async def test_a_head_that_does_not_end_is_refused() -> None:
    line = b"X-More: " + b"x" * 1000 + b"\r\n"
    endless = [line] * (MAX_HEAD_BYTES // len(line) + 1)
    assert await statuses_after(b"GET / HTTP/1.1\r\n", *endless) == [431]
    assert await statuses_after(HEAD, WHOLE[len(HEAD) :] + b"GET / HTTP/1.1\r\n", *endless) == [204, 431]
