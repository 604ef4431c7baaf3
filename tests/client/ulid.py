"""Call tokens: ULIDs, 48 bits of time and 80 random ones in base 32 (docs/protocol.md, section 1)."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(at_ms: int | None = None) -> str:
    """A new token; with `at_ms` one of that time, so that a test can say which of two is the lower."""
    number = (time.time_ns() // 1_000_000 if at_ms is None else at_ms) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
