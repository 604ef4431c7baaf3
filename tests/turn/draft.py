"""Messages put together piece by piece, right or wrong (RFC 8489 §5, §14)."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import zlib

from client.turn import TurnClient
from client.turn_message import COOKIE, ERROR_CODE, INTEGRITY, NONCE, REALM, attributes_of

USERNAME, UNKNOWN_ATTRIBUTES, INTEGRITY_SHA256, FINGERPRINT = 0x06, 0x0A, 0x1C, 0x8028
SUCCESS, ERROR, INDICATION = 0x100, 0x110, 0x010

Pairs = list[tuple[int, bytes]]


def message(kind: int, attributes: Pairs | None = None, *, cookie: int = COOKIE) -> bytes:
    """Without a seal."""
    packet = struct.pack("!HHI", kind, 0, cookie) + os.urandom(12)
    for number, value in attributes or []:
        packet = with_attribute(packet, number, value)
    return packet


def with_attribute(packet: bytes, number: int, value: bytes) -> bytes:
    """One more at the end."""
    packet += struct.pack("!HH", number, len(value)) + value + bytes(-len(value) % 4)
    return with_length(packet, len(packet) - 20)


def with_length(packet: bytes, length: int) -> bytes:
    """Whatever is said to follow the header."""
    return packet[:2] + struct.pack("!H", length & 0xFFFF) + packet[4:]


def credentials(client: TurnClient, *, without: int | None = None, **other: bytes) -> Pairs:
    """User name, realm and nonce, or others instead of them."""
    known = [
        (USERNAME, other.get("username", client.username.encode())),
        (REALM, other.get("realm", client.realm)),
        (NONCE, other.get("nonce", client.nonce)),
    ]
    return [pair for pair in known if pair[0] != without]


def key_of(client: TurnClient) -> bytes:
    """RFC 8489 §9.2.2, MD5."""
    return hashlib.md5(b":".join([client.username.encode(), client.realm, client.password.encode()])).digest()


def sealed(packet: bytes, key: bytes, algorithm: str = "sha1") -> bytes:
    """With MESSAGE-INTEGRITY, or its SHA-256 sister."""
    number, size = (INTEGRITY, 20) if algorithm == "sha1" else (INTEGRITY_SHA256, 32)
    return with_attribute(packet, number, hmac.digest(key, with_length(packet, len(packet) + 4 + size - 20), algorithm))


def with_fingerprint(packet: bytes, *, flipped: int = 0) -> bytes:
    """RFC 8489 §14.7; `flipped` makes it wrong."""
    crc = zlib.crc32(with_length(packet, len(packet) + 8 - 20)) ^ 0x5354554E ^ flipped
    return with_attribute(packet, FINGERPRINT, struct.pack("!I", crc))


def status_of(answer: bytes) -> int:
    """0 for a success."""
    error = attributes_of(answer).get(ERROR_CODE)
    return error[2] * 100 + error[3] if error is not None else 0
