"""The bytes of a recording on their way to the disk: counted; an error is kept, not thrown into FFmpeg."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from peerline.errors import DOMException, NotAllowedError, NotFoundError, OperationError, QuotaExceededError

__all__ = ["OutputFile"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_MISSING = {errno.ENOENT, errno.ENOTDIR}


class OutputFile:
    """Opened for writing, and emptied. Nothing is buffered: what was written outlives the process.

    Raises NotFoundError, NotAllowedError, QuotaExceededError or OperationError if it cannot be opened. After an error
    of `write` the file stays as it is: what would follow could not be played anyway.
    """

    def __init__(self, path: Path) -> None:
        self.error: DOMException | None = None
        self.size = 0
        self._name = path.name
        try:
            self._file = open(path, "wb", buffering=0)  # noqa: SIM115 (closed by close)
        except OSError as error:
            raise self._said(error) from error

    # What FFmpeg asks for -----------------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        """All of it, here; or nothing more for good, if the disk has no room."""
        if self.error is None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[self._file.write(rest) or 0 :]
            except OSError as error:
                self.error = self._said(error)
                self.error.__cause__ = error
            if self._file.seekable():
                self.size = max(self.size, self._file.tell())
            else:
                self.size += len(data) - len(rest)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on there."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it goes on."""
        return self._file.tell()

    def seekable(self) -> bool:
        """False for a pipe."""
        return self._file.seekable()

    # What we do ---------------------------------------------------------------------------------------

    def replace(self, offset: int, data: bytes) -> None:
        """Write over what is there already, even on a full disk. Nothing happens where that is impossible."""
        try:
            if self._file.seekable():
                at = self._file.tell()
                self._file.seek(offset)
                self._file.write(data)
                self._file.seek(at)
        except OSError:
            pass

    def close(self) -> None:
        """Some disks complain only now. Twice is fine."""
        try:
            self._file.close()
        except OSError as error:
            self.error = self.error or self._said(error)

    def _said(self, error: OSError) -> DOMException:
        what = f"{self._name!r} cannot be written: {error.strerror or error}"
        if error.errno in _FULL:
            return QuotaExceededError(what, hint="make room, or record elsewhere; what was written can be played")
        if error.errno in _FORBIDDEN:
            return NotAllowedError(what, hint="choose a folder that this user may write to")
        if error.errno in _MISSING:
            return NotFoundError(what, hint="make its folder first")
        return OperationError(what)
