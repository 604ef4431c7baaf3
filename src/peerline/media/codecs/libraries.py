"""The libraries behind the codecs: PyAV and numpy (extra `media`), and the C libraries that PyAV brings along."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from peerline.errors import NotSupportedError

__all__ = ["HINT", "c_library", "media_extra"]

HINT = 'pip install "peerline[media]"'


@contextmanager
def media_extra() -> Iterator[None]:
    """Around imports of `av` and `numpy`: if one is missing, NotSupportedError says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("av", "numpy"):
            raise
        raise NotSupportedError("codecs and frames need the extra 'media' of Peerline", hint=HINT) from error


@cache
def c_library(name: str) -> ctypes.CDLL | None:
    """ "opus" or "vpx": PyAV's own copy, which is loaded anyway, else the system's; None if there is neither."""
    for path in (*_brought_along(name), ctypes.util.find_library(name)):
        if path is None:
            continue
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    return None


def _brought_along(name: str) -> Iterator[Path]:
    """Wheels keep them beside the package: `av.libs` on Linux and Windows, `av/.dylibs` on macOS."""
    spec = find_spec("av")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        for pattern in (f"lib{name}-*", f"lib{name}.*", f"{name}-*"):
            yield from sorted(folder.glob(pattern))
