"""A file on its way: written beside its place under another name, put there once it is whole, never over another."""

from __future__ import annotations

import errno
import os
import shutil
import unicodedata
from pathlib import Path
from typing import BinaryIO

from peerline.client.errors import TransferError

__all__ = ["PartFile", "safe_name"]

MAX_NAME = 255
# File systems count bytes, and ".part" or " (2)" are to fit, too.
_MAX_NAME_BYTES = 200
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def safe_name(name: str) -> str:
    """A name without directories and without what reads differently from what it is."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(char for char in last if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return plain.lstrip(".").strip()[-MAX_NAME:].lstrip(".").strip() or "file"


class PartFile:
    """Raises TransferError: `no_room`, or `failed` with the system's reason."""

    def __init__(self, folder: Path, name: str, size: int) -> None:
        self._folder = folder
        stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
        # The suffix says what opens it: rather the name is cut.
        self._suffix = _cut(dot + suffix, _MAX_NAME_BYTES // 4)
        self._stem = _cut(stem, _MAX_NAME_BYTES - len(self._suffix.encode()))
        try:
            free = shutil.disk_usage(folder).free
            if free < size:
                raise TransferError(
                    f"{folder} has room for {free:,} bytes, the file has {size:,}", code="no_room",
                    hint="Make room, or choose another folder.",
                )  # fmt: skip
            self._part, self._file = self._create(".part")
        except OSError as error:
            raise _explained(folder, error) from error

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise _explained(self._folder, error) from error

    def keep(self) -> Path:
        """It is whole: give it its name, or one with a number if there is such a file."""
        try:
            self._file.close()
            place, reserved = self._create("")
            reserved.close()
            os.replace(self._part, place)
        except OSError as error:
            self.discard()
            raise _explained(self._folder, error) from error
        return place

    def discard(self) -> None:
        """It will not be whole."""
        try:
            self._file.close()
        except OSError:
            pass  # what was to be written on closing found no room
        self._part.unlink(missing_ok=True)

    def _create(self, ending: str) -> tuple[Path, BinaryIO]:
        number = 1
        while True:
            count = "" if number == 1 else f" ({number})"
            place = self._folder / f"{self._stem}{count}{self._suffix}{ending}"
            try:
                return place, place.open("xb")
            except FileExistsError:
                number += 1


def _cut(text: str, size: int) -> str:
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def _explained(folder: Path, error: OSError) -> TransferError:
    reason = (error.strerror or str(error)).lower()
    if error.errno in _NO_ROOM:
        return TransferError(f"{folder}: {reason}", code="no_room", hint="Make room, or choose another folder.")
    return TransferError(f"{folder}: {reason}")
