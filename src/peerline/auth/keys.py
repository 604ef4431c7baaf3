"""Owner keys: whoever has the key owns the name. Only a hash is ever stored."""

from __future__ import annotations

import hashlib
import hmac


def hash_key(key: str) -> str:
    """What is stored of an owner key. The key is random and long, so a plain hash is enough."""
    return hashlib.sha256(b"peerline owner key\0" + key.encode()).hexdigest()


def same(a: str, b: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(a.encode(), b.encode())
