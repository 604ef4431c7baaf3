"""A TURN client: an address on the relay, and packets through it (RFC 8656). Every step is a request of its own.

client                      server                        peer
  │ Allocate                  │                             │
  ├──────────────────────────►│  401: realm, nonce          │
  │ Allocate, signed          │                             │
  ├──────────────────────────►│  success: relayed address   │
  │ CreatePermission (peer)   │                             │
  ├──────────────────────────►│  now the peer may send      │
  │ Send (peer, packet)       │                             │
  ├──────────────────────────►├────────────────────────────►│ from the relayed address
  │ Data (peer, packet)       │                             │
  │◄──────────────────────────┤◄────────────────────────────┤
  │ Refresh, lifetime 0       │                             │
  ├──────────────────────────►│  gone                       │
"""

from __future__ import annotations

import asyncio
import struct
from types import TracebackType
from typing import Self

from peerline.doctor.stun.address import Address, address_in, require, write_xored
from peerline.doctor.stun.client import Answer, StunClient, new_transaction
from peerline.doctor.stun.errors import MalformedError, RefusedByServerError, SilentError
from peerline.doctor.stun.integrity import long_term_key
from peerline.doctor.stun.message import Attribute, Attributes, Kind, Message, Method, write
from peerline.errors import PeerlineError

_UDP = bytes((17, 0, 0, 0))  # REQUESTED-TRANSPORT: the protocol's number, as in IP
_IPV6 = bytes((2, 0, 0, 0))
FIRST_CHANNEL = 0x4000
# 401 for the realm, 438 when the nonce is too old: more than that is a server that does not mean to let us in.
_MAX_CHALLENGES = 3


class Allocation:
    """An address on the relay. `async with Allocation(client, name, password)` makes it and gives it back."""

    def __init__(self, client: StunClient, username: str, password: str) -> None:
        self._client = client
        self._username = username
        self._password = password
        self._realm = ""
        self._nonce: bytes | None = None
        self._key: bytes | None = None
        self._channels: dict[int, Address] = {}
        self.relayed: Address = ("", 0)
        """Where peers send to."""
        self.mapped: Address | None = None
        """Where the server sees us."""
        self.lifetime_s = 0
        self.rtt_s = 0.0
        """Of the Allocate that succeeded."""
        self.received: asyncio.Queue[tuple[Address, bytes]] = asyncio.Queue(maxsize=1000)
        """What peers sent, with their addresses."""
        client.on_indication = self._on_indication
        client.on_channel_data = self._on_channel_data

    async def allocate(self) -> None:
        """Raises RefusedByServerError, SilentError, LinkLostError, MalformedError."""
        wanted = [(Attribute.REQUESTED_TRANSPORT, _UDP)]
        try:
            answer = await self._ask(Method.ALLOCATE, wanted)
        except RefusedByServerError as refusal:
            if refusal.number != 440:
                raise
            # Who asks for no family asks for IPv4, and this server has none (RFC 8656 §7.2).
            answer = await self._ask(Method.ALLOCATE, [*wanted, (Attribute.REQUESTED_ADDRESS_FAMILY, _IPV6)])
        self.relayed = require(answer.message, Attribute.XOR_RELAYED_ADDRESS)
        self.mapped = address_in(answer.message, Attribute.XOR_MAPPED_ADDRESS)
        lifetime = answer.message.get(Attribute.LIFETIME) or b""
        if len(lifetime) != 4:
            raise MalformedError("the answer to Allocate has no LIFETIME")
        self.lifetime_s = struct.unpack("!I", lifetime)[0]
        self.rtt_s = answer.rtt_s

    async def permit(self, peer: str) -> None:
        """Let this IP address send to us. RefusedByServerError 403: the server's policy forbids it as a peer."""
        transaction = new_transaction()
        await self._ask(
            Method.CREATE_PERMISSION,
            [(Attribute.XOR_PEER_ADDRESS, write_xored((peer, 0), transaction))],
            transaction=transaction,
        )

    async def bind_channel(self, peer: Address, number: int = FIRST_CHANNEL) -> int:
        """Agree on a number for this peer: packets then cost 4 bytes more instead of 36."""
        transaction = new_transaction()
        attributes = [
            (Attribute.CHANNEL_NUMBER, struct.pack("!HH", number, 0)),
            (Attribute.XOR_PEER_ADDRESS, write_xored(peer, transaction)),
        ]
        self._channels[number] = peer  # packets may overtake the answer
        await self._ask(Method.CHANNEL_BIND, attributes, transaction=transaction)
        return number

    def send(self, peer: Address, data: bytes) -> None:
        """To a peer, with a Send indication: nobody says whether it arrived."""
        transaction = new_transaction()
        attributes = [
            (Attribute.XOR_PEER_ADDRESS, write_xored(peer, transaction)),
            (Attribute.DATA, data),
        ]
        self._client.link.send(write(Method.SEND, Kind.INDICATION, transaction, attributes))

    def send_on(self, channel: int, data: bytes) -> None:
        """To the peer of a channel, as ChannelData (RFC 8656 §12.4)."""
        self._client.link.send(struct.pack("!HH", channel, len(data)) + data)

    async def receive(self, within_s: float) -> tuple[Address, bytes]:
        """The next packet from a peer. Raises SilentError."""
        try:
            return await asyncio.wait_for(self.received.get(), within_s)
        except TimeoutError:
            raise SilentError(f"no packet came through the relay within {within_s:g} s") from None

    async def release(self) -> None:
        """Give the address back: Refresh with a lifetime of 0. Raises as `allocate`."""
        await self._ask(Method.REFRESH, [(Attribute.LIFETIME, bytes(4))])

    async def __aenter__(self) -> Self:
        await self.allocate()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if kind is None or not issubclass(kind, asyncio.CancelledError):
                await self.release()
        except PeerlineError:
            pass  # it ends by itself when its lifetime does
        finally:
            self._client.close()

    async def _ask(self, method: Method, attributes: Attributes, *, transaction: bytes | None = None) -> Answer:
        """Signed, once the server has told its realm and a nonce."""
        for attempt in range(_MAX_CHALLENGES):
            try:
                # A new try is a new question; but an XORed address is bound to the id it was written for.
                return await self._client.ask(
                    method, [*attributes, *self._credentials()], key=self._key, transaction=transaction
                )
            except RefusedByServerError as refusal:
                is_first = refusal.number == 401 and self._nonce is None
                if attempt + 1 == _MAX_CHALLENGES or not (is_first or refusal.number == 438):
                    raise
                self._learn(refusal.realm, refusal.nonce)
        raise AssertionError("the last try returns or raises")

    def _credentials(self) -> Attributes:
        if self._nonce is None:
            return ()
        return (
            (Attribute.USERNAME, self._username.encode()),
            (Attribute.REALM, self._realm.encode()),
            (Attribute.NONCE, self._nonce),
        )

    def _learn(self, realm: bytes | None, nonce: bytes | None) -> None:
        if nonce is None or (realm is None and not self._realm):
            raise MalformedError("the server asks for credentials, but without realm and nonce")
        if realm is not None:
            try:
                self._realm = realm.decode()
            except UnicodeDecodeError:
                raise MalformedError("the realm is no text") from None
        self._nonce = nonce
        self._key = long_term_key(self._username, self._realm, self._password)

    def _on_indication(self, message: Message) -> None:
        data = message.get(Attribute.DATA)
        try:
            peer = address_in(message, Attribute.XOR_PEER_ADDRESS)
        except MalformedError:
            return
        if message.method == Method.DATA and data is not None and peer is not None:
            self._put(peer, data)

    def _on_channel_data(self, frame: bytes) -> None:
        if len(frame) < 4:
            return
        number, length = struct.unpack_from("!HH", frame)
        peer = self._channels.get(number)
        if peer is not None and length <= len(frame) - 4:
            self._put(peer, frame[4 : 4 + length])

    def _put(self, peer: Address, data: bytes) -> None:
        if not self.received.full():
            self.received.put_nowait((peer, data))
