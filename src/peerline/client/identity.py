"""Who we are: the owner key of a name, a program's id, the tokens that name calls (docs/protocol.md, section 1)."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

__all__ = ["OWNER_FILE", "make_call_token", "make_secret", "owner_key"]

OWNER_FILE = "owner.key"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def make_secret(size: int = 32) -> str:
    """A text of so many random bytes."""
    return secrets.token_urlsafe(size)


def make_call_token() -> str:
    """A ULID: 48 bits of time, 80 random bits."""
    number = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def owner_key(data_dir: Path) -> str:
    """The secret that owns our names, kept in `data_dir` for good; where nothing can be kept, one for this time."""
    file = data_dir / OWNER_FILE
    try:
        kept = file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        kept = ""
    if 22 <= len(kept) <= 128 and kept.isascii() and kept.replace("-", "").replace("_", "").isalnum():
        return kept
    made = make_secret()
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(made)
    except FileExistsError:
        return owner_key(data_dir)  # another program has made it in this moment
    except OSError:
        pass
    return made
