"""Attributes and addresses of STUN messages (RFC 8489 §14)."""

from __future__ import annotations

import ipaddress
import struct

COOKIE = 0x2112A442
INTEGRITY, ERROR_CODE, LIFETIME, PEER, DATA = 0x08, 0x09, 0x0D, 0x12, 0x13
REALM, NONCE, RELAYED, MAPPED = 0x14, 0x15, 0x16, 0x20

Address = tuple[str, int]


def attributes_of(packet: bytes) -> dict[int, bytes]:
    """By number; of several the last."""
    found, at = {}, 20
    while at < len(packet):
        kind, size = struct.unpack_from("!HH", packet, at)
        found[kind] = packet[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    return found


def xored(address: Address, transaction: bytes) -> bytes:
    """An XOR-…-ADDRESS."""
    ip = ipaddress.ip_address(address[0])
    mask = struct.pack("!I", COOKIE) + transaction
    hidden = bytes(a ^ b for a, b in zip(ip.packed, mask, strict=False))
    return struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, address[1] ^ COOKIE >> 16) + hidden


def address_in(value: bytes, transaction: bytes = b"") -> Address:
    """What an XOR-…-ADDRESS says; the transaction is needed for IPv6."""
    mask = struct.pack("!I", COOKIE) + transaction
    packed = bytes(a ^ b for a, b in zip(value[4:], mask, strict=value[1] == 2))
    return str(ipaddress.ip_address(packed)), struct.unpack("!H", value[2:4])[0] ^ COOKIE >> 16
