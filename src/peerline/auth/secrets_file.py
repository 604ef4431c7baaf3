"""`secrets.toml` in the data folder: what this server made for itself once, readable by its owner only."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peerline.errors import ConfigError

SECRETS_FILE = "secrets.toml"
MIN_SECRET_CHARACTERS = 32
_HEADS = {
    "token": "# Made by peerline. Whoever has this can sign in as anybody.",
    "turn": '# Made by peerline. Whoever has this can use the relay. To change it: ["new", "old"], then SIGHUP.',
    "echo": "# Owns the name of the robot Echo.",
}

log = logging.getLogger("peerline.server")


def load_secrets(data_dir: Path, key: str) -> list[str]:
    """The secrets under this key ("token", "turn"), newest first; one is made the first time.

    Raises ConfigError if the file is damaged, or can be neither read nor written.
    """
    path = data_dir / SECRETS_FILE
    kept = _read(path)
    if key not in kept:
        try:
            with _locked(data_dir):
                kept = _read(path)  # of two processes that start at once, one makes it and both use it
                if key not in kept:
                    _add(path, key, secrets.token_urlsafe(32))
                    kept = _read(path)
        except OSError as error:
            raise ConfigError(
                f"cannot write to the data folder: {error.strerror}", hint="Choose another with --data-dir."
            ) from error
    value = kept[key]
    found = [value] if isinstance(value, str) else value
    if (
        not isinstance(found, list)
        or not found
        or not all(isinstance(s, str) and len(s) >= MIN_SECRET_CHARACTERS for s in found)
    ):
        raise ConfigError(
            f"{SECRETS_FILE} has no usable {key} secret: it takes {MIN_SECRET_CHARACTERS} characters",
            hint=f"Remove the line that begins with `{key}`: a new one is made.",
        )
    return found


def has_secret(data_dir: Path, key: str) -> bool:
    """Whether there is one already. A damaged file has none."""
    try:
        return key in _read(data_dir / SECRETS_FILE)
    except ConfigError as error:
        log.warning("%s", error)
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open() as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                log.warning("%s can be read by others than its owner: chmod 600 closes it", SECRETS_FILE)
            return tomllib.loads(file.read())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(
            f"{SECRETS_FILE} cannot be read: {error.strerror}",
            hint=f"It must belong to the user that runs the server: {path}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # Not what the parser says: it may repeat a piece of a secret.
        raise ConfigError(
            f"{SECRETS_FILE} is damaged", hint=f"Remove {path}: new secrets are made; tokens made before end."
        ) from error


def _add(path: Path, key: str, secret: str) -> None:
    """Whole or not at all."""
    before = path.read_text() if path.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        # In front: a key behind a table would belong to the table.
        file.write(f'{_HEADS[key]}\n{key} = "{secret}"\n{before}')
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
