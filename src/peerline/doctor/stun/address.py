"""Transport addresses inside messages (RFC 8489 §14.1, §14.2): plain, or XORed so that no router rewrites them."""

from __future__ import annotations

import ipaddress
import struct

from peerline.doctor.stun.errors import MalformedError
from peerline.doctor.stun.message import MAGIC_COOKIE, Attribute, Message

Address = tuple[str, int]
"""IP address and port."""

_IPV4, _IPV6 = 1, 2
_COOKIE = struct.pack("!I", MAGIC_COOKIE)
_PLAIN = (Attribute.MAPPED_ADDRESS, Attribute.OTHER_ADDRESS, Attribute.RESPONSE_ORIGIN)


def address_in(message: Message, attribute: Attribute) -> Address | None:
    """The address in this attribute, if the message has it. Raises MalformedError."""
    value = message.get(attribute)
    if value is None:
        return None
    if len(value) < 4:
        raise MalformedError(f"an address of {len(value)} bytes")
    _, family, port = struct.unpack_from("!BBH", value)
    if (family, len(value)) not in ((_IPV4, 8), (_IPV6, 20)):
        raise MalformedError(f"an address of family {family} with {len(value)} bytes")
    packed = value[4:]
    if attribute not in _PLAIN:
        port ^= MAGIC_COOKIE >> 16
        packed = _xor(packed, message.transaction)
    return str(ipaddress.ip_address(packed)), port


def require(message: Message, attribute: Attribute) -> Address:
    """The same where there is nothing to be done without it."""
    found = address_in(message, attribute)
    if found is None:
        raise MalformedError(f"the answer has no {attribute.name.replace('_', '-')}")
    return found


def write_xored(address: Address, transaction: bytes) -> bytes:
    """The value of XOR-PEER-ADDRESS and its like."""
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    family = _IPV4 if ip.version == 4 else _IPV6
    port = address[1] ^ MAGIC_COOKIE >> 16
    return struct.pack("!BBH", 0, family, port) + _xor(ip.packed, transaction)


def _xor(packed: bytes, transaction: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(packed, _COOKIE + transaction, strict=False))
