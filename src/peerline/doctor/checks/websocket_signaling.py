"""Does signaling work over WebSocket (docs/protocol.md, section 2.1)?"""

from __future__ import annotations

import secrets
import statistics
import time
from typing import Any

import msgspec

from peerline.doctor.check import Check, Outcome, ok
from peerline.doctor.hello import read_welcome, write_hello
from peerline.doctor.http import UnreachableError
from peerline.doctor.patient import Patient
from peerline.doctor.websocket import WebSocket

PINGS = 3
_PROXY = (
    "behind nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade";'
)


class WebSocketSignaling(Check):
    """Signs in, measures a few round trips, signs out."""

    name = "signaling-websocket"
    title = "Signaling over WebSocket"

    async def examine(self, patient: Patient) -> Outcome:
        assert patient.server is not None
        hello = write_hello(patient.hello(secrets.token_urlsafe(16)))
        url = f"{patient.server.websocket}/signal"
        try:
            async with WebSocket(url, patient.tls if patient.server.is_secure else None) as socket:
                return await self._converse(patient, socket, hello)
        except UnreachableError as error:
            error.hint = error.hint or _PROXY
            raise

    async def _converse(self, patient: Patient, socket: WebSocket, hello: bytes) -> Outcome:
        asked_s = time.time()
        socket.send(hello)
        welcome = read_welcome(await socket.receive())
        patient.welcomed(welcome, asked_s)
        self.say(f"signed in as {patient.identity.name if patient.token is None else welcome.me.n}")
        round_trips_s = []
        for number in range(PINGS):
            sent_s = time.monotonic()
            socket.send(msgspec.json.encode({"t": "ping", "d": {"ts": number}}))
            await _pong(socket, number)
            round_trips_s.append(time.monotonic() - sent_s)
        socket.send(b'{"t":"bye"}')
        rtt_s = patient.facts.round_trips_s["WebSocket"] = statistics.median(round_trips_s)
        self.say(f"{PINGS} pings, round trip {rtt_s * 1000:.1f} ms")
        return ok(f"signed in, round trip {rtt_s * 1000:.1f} ms")


async def _pong(socket: WebSocket, number: int) -> None:
    """Wait for it; other messages may come before."""
    while not _holds_pong(await socket.receive(), number):
        pass


def _holds_pong(frame: bytes, number: int) -> bool:
    try:
        content: Any = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    messages = content if isinstance(content, list) else [content]
    wanted = {"t": "pong", "d": {"ts": number}}
    return any(isinstance(one, dict) and one.items() >= wanted.items() for one in messages)
