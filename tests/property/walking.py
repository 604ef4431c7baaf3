"""A whole signaling server in virtual time, and devices that misbehave at random: what the random walks are made of."""

from __future__ import annotations

import json
from typing import Any

from peerline.calls.call import Call
from peerline.config import Config, Limits
from peerline.server.dispatch import Dispatcher
from peerline.server.hub import Hub
from peerline.signaling.session import Session
from peerline.store import MemoryStore

UNLIMITED = Limits(rate=1e9, burst=10**9, calls_per_minute=0, hellos_per_minute=0, devices=4)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class World:
    """A hub whose clock moves only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.hub = Hub(Config(limits=UNLIMITED), MemoryStore(), clock=lambda: self.now, wall=lambda: 1.8e9 + self.now)
        self.dispatcher = Dispatcher(self.hub)
        self.kept: list[tuple[str, str | None]] = []  # (token, why) of every record of a call
        self.hub.ledger.keep = self._keep  # type: ignore[method-assign]
        self.hub.ledger.unreached = self._unreached  # type: ignore[method-assign]

    def pass_time(self, seconds: float) -> None:
        """Every deadline on the way is met when it is due, not later."""
        until = self.now + seconds
        while (due := self.hub.timers.poll_timeout()) is not None and due <= until:
            self.now = max(self.now, due)
            self.hub.handle_timeout(self.now)
        self.now = until

    def _keep(self, call: Call) -> None:
        self.kept.append((call.token, call.why))

    def _unreached(self, call: Call, u: str) -> None:
        self.kept.append((call.token, call.why))


class Socket:
    """One socket of a device: the carrier that the hub sees."""

    is_request = False

    def __init__(self, device: Device) -> None:
        self.device = device
        self.is_open = True

    def send(self, frame: bytes) -> None:
        if self.is_open:
            self.device.receive(json.loads(frame))

    def close(self, code: int) -> None:
        self.is_open = False


class Device:
    """A client that does what it is told, well-behaved only in numbering. `inbox` is what it received, once each."""

    def __init__(self, world: World, name: str, dev: str) -> None:
        self.world = world
        self.name = name
        self.u = name.lower()
        self.dev = dev * 16
        self.session: Session | None = None
        self.socket: Socket | None = None
        self.sid = self.key = ""
        self.sent = self.received = 0
        self.unacknowledged: list[dict[str, Any]] = []
        self.inbox: list[dict[str, Any]] = []

    @property
    def is_open(self) -> bool:
        """Whether its socket lives."""
        return self.socket is not None and self.socket.is_open

    def receive(self, message: dict[str, Any]) -> None:
        """A frame arrived."""
        s = message.get("s")
        if s is not None:
            assert s <= self.received + 1, "a message is missing"
            if s <= self.received:
                return
            self.received = s
        self.unacknowledged = [m for m in self.unacknowledged if m["s"] > message.get("a", 0)]
        self.inbox.append(message)

    async def sign_in(self, *, resume: bool) -> None:
        """A new socket, with the old session if that is possible."""
        body: dict[str, Any] = {
            "v": [1],
            "name": self.name,
            "own": "".join(c for c in self.u if c.isalnum()) * 8 + "k" * 16,
            "dev": self.dev,
        }
        if resume and self.sid:
            body["res"] = {"sid": self.sid, "key": self.key, "rx": self.received}
        frame = json.dumps({"t": "hello", "d": body}).encode()
        session, welcome = await self.world.hub.hello(frame, host="localhost", address="")
        told = json.loads(welcome)["d"]
        if not told["res"]:
            self.sent = self.received = 0
            self.unacknowledged = []
            self.inbox = []
        self.sid, self.key, self.session = told["sid"], told["key"], session
        self.socket = Socket(self)
        again, self.unacknowledged = [m for m in self.unacknowledged if m["s"] > told["rx"]], []
        self.world.hub.attach(session, self.socket)
        for message in again:
            self._transmit(message)

    def lose_socket(self) -> None:
        """The socket dies; what the server sends from now on waits in the session."""
        socket, self.socket = self.socket, None
        if socket is not None and self.session is not None:
            socket.is_open = False
            self.world.hub.detach(self.session, socket)

    def say(self, t: str, call: str | None = None, id: str | None = None, **d: Any) -> None:
        """Send a numbered message; if the socket is dead it waits."""
        self.sent += 1
        message: dict[str, Any] = {"t": t, "s": self.sent, "a": self.received, "d": d}
        if call is not None:
            message["call"] = call
        if id is not None:
            message["id"] = id
        self._transmit(message)

    def _transmit(self, message: dict[str, Any]) -> None:
        self.unacknowledged.append(message)
        if self.is_open and self.session is not None:
            self.world.dispatcher.on_frame(self.session, json.dumps(message).encode())

    def of_call(self, t: str, token: str) -> list[dict[str, Any]]:
        """What this device was told about a call."""
        return [m for m in self.inbox if m["t"] == t and m.get("call") == token]
