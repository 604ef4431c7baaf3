"""Who the doctor signs in as: always the same, so that no server fills up with names of doctors."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

KEY_FILE = "doctor.key"


@dataclass(frozen=True, slots=True)
class Identity:
    """A name, and the secret that owns it (docs/protocol.md, section 1)."""

    name: str
    own: str = field(repr=False)


def load_identity(data_dir: Path) -> Identity:
    """The one kept in `data_dir`, made at the first visit; where nothing can be kept, one for this visit."""
    file = data_dir / KEY_FILE
    try:
        own = file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        own = ""
    if len(own) < 32 or not own.replace("-", "").replace("_", "").isalnum() or not own.isascii():
        own = secrets.token_urlsafe(32)
        _keep(file, own)
    return Identity(f"doctor {hashlib.sha256(own.encode()).hexdigest()[:8]}", own)


def _keep(file: Path, own: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as kept:
            kept.write(own)
    except OSError:
        pass  # then it is another one next time
