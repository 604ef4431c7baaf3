"""Who wrote a message: MESSAGE-INTEGRITY with a long-term credential (RFC 8489 §9.2, §14.5)."""

from __future__ import annotations

import hashlib
import hmac
import struct
import unicodedata

SIGNATURE_BYTES = 20
ATTRIBUTE_BYTES = 4 + SIGNATURE_BYTES


def long_term_key(username: str, realm: str, password: str) -> bytes:
    """What both sides sign with. The password itself never travels."""
    text = ":".join(unicodedata.normalize("NFC", part) for part in (username, realm, password))
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def signature(unsigned: bytes, key: bytes) -> bytes:
    """Of a message whose header counts the signature in already."""
    return hmac.digest(key, unsigned, "sha1")


def is_right(message: bytes, at: int, key: bytes) -> bool:
    """Whether the signature at this place is one of all that stands before it."""
    # What follows the signature, such as FINGERPRINT, was not counted when it was made.
    length = at + ATTRIBUTE_BYTES - 20
    unsigned = message[:2] + struct.pack("!H", length) + message[4:at]
    found = message[at + 4 : at + ATTRIBUTE_BYTES]
    return hmac.compare_digest(found, signature(unsigned, key))
