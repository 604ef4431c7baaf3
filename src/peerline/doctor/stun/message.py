"""STUN messages: written, and read without trusting a byte of them (RFC 8489 §5, §14).

 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
|0 0|  method and kind           |  bytes that follow the header |
|                    0x2112A442, the magic cookie               |
|                  transaction id, 12 random bytes              |
|  attribute                     |  length                      |  value, padded to 4 bytes …
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from peerline.doctor.stun import integrity
from peerline.doctor.stun.errors import MalformedError

MAGIC_COOKIE = 0x2112A442
HEADER_BYTES = 20
TRANSACTION_BYTES = 12
_HEADER = struct.Struct("!HHI12s")
_FINGERPRINT_XOR = 0x5354554E


class Method(IntEnum):
    """What is asked (RFC 8489 §18.2, RFC 8656 §17)."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009


class Kind(IntEnum):
    """Two bits between the method's, called the class."""

    REQUEST = 0
    INDICATION = 1
    SUCCESS = 2
    ERROR = 3


class Attribute(IntEnum):
    """Those that we speak or understand."""

    MAPPED_ADDRESS = 0x0001
    CHANGE_REQUEST = 0x0003
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    CHANNEL_NUMBER = 0x000C
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    REQUESTED_TRANSPORT = 0x0019
    XOR_MAPPED_ADDRESS = 0x0020
    FINGERPRINT = 0x8028
    RESPONSE_ORIGIN = 0x802B
    OTHER_ADDRESS = 0x802C


Attributes = Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """One that was read. Attributes behind MESSAGE-INTEGRITY, which nobody vouches for, are left out."""

    method: int
    kind: Kind
    transaction: bytes
    attributes: Attributes
    raw: bytes
    integrity_at: int | None
    """Where MESSAGE-INTEGRITY begins in `raw`."""

    def get(self, attribute: Attribute) -> bytes | None:
        """The value of the first attribute of this type."""
        return next((value for found, value in self.attributes if found == attribute), None)

    def is_signed_with(self, key: bytes) -> bool:
        """Whether whoever wrote it knows the key."""
        return self.integrity_at is not None and integrity.is_right(self.raw, self.integrity_at, key)


def write(
    method: Method, kind: Kind, transaction: bytes, attributes: Attributes = (), key: bytes | None = None
) -> bytes:
    """The bytes of a message, with MESSAGE-INTEGRITY where there is a key."""
    body = b"".join(_attribute(number, value) for number, value in attributes)
    if key is not None:
        # The header counts the signature in, and is signed so (RFC 8489 §14.5).
        unsigned = _header(method, kind, transaction, len(body) + integrity.ATTRIBUTE_BYTES) + body
        return unsigned + _attribute(Attribute.MESSAGE_INTEGRITY, integrity.signature(unsigned, key))
    return _header(method, kind, transaction, len(body)) + body


def read(data: bytes) -> Message:
    """The message in `data`, which holds nothing else. Raises MalformedError."""
    if len(data) < HEADER_BYTES:
        raise MalformedError(f"{len(data)} bytes are no STUN message")
    packed, length, cookie, transaction = _HEADER.unpack_from(data)
    if packed & 0xC000 or cookie != MAGIC_COOKIE:
        raise MalformedError("no STUN message: the magic cookie is missing")
    if length % 4 or len(data) != HEADER_BYTES + length:
        raise MalformedError(f"a STUN message of {len(data)} bytes says that {length} follow its header")
    attributes: list[tuple[int, bytes]] = []
    integrity_at = None
    at = HEADER_BYTES
    while at < len(data):
        number, size = struct.unpack_from("!HH", data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) != size:
            raise MalformedError(f"attribute 0x{number:04x} reaches past the end of its message")
        if number == Attribute.FINGERPRINT:
            _check_fingerprint(data, at, value)
        elif integrity_at is None:
            if number == Attribute.MESSAGE_INTEGRITY:
                if size != integrity.SIGNATURE_BYTES:
                    raise MalformedError(f"MESSAGE-INTEGRITY of {size} bytes")
                integrity_at = at
            else:
                attributes.append((number, value))
        at += 4 + size + -size % 4
    if at != len(data):
        raise MalformedError("the padding of the last attribute is missing")
    return Message(_method(packed), _kind(packed), transaction, attributes, data, integrity_at)


def _header(method: int, kind: Kind, transaction: bytes, length: int) -> bytes:
    packed = (method & 0x000F) | (method & 0x0070) << 1 | (method & 0x0F80) << 2 | (kind & 1) << 4 | (kind & 2) << 7
    return _HEADER.pack(packed, length, MAGIC_COOKIE, transaction)


def _method(packed: int) -> int:
    return (packed & 0x000F) | (packed & 0x00E0) >> 1 | (packed & 0x3E00) >> 2


def _kind(packed: int) -> Kind:
    return Kind((packed >> 4 & 1) | (packed >> 7 & 2))


def _attribute(number: int, value: bytes) -> bytes:
    return struct.pack("!HH", number, len(value)) + value + bytes(-len(value) % 4)


def _check_fingerprint(data: bytes, at: int, value: bytes) -> None:
    """It is the last attribute, and a checksum of all before it (RFC 8489 §14.7)."""
    wanted = struct.pack("!I", zlib.crc32(data[:at]) ^ _FINGERPRINT_XOR)
    if value != wanted or at + 8 != len(data):
        raise MalformedError("the FINGERPRINT is wrong")
