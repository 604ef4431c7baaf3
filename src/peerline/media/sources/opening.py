"""Opens files, addresses and devices with PyAV; says in the W3C's errors why it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from peerline.errors import NotAllowedError, NotFoundError, NotReadableError
from peerline.media.codecs.libraries import media_extra

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["open_input", "readable"]

# Seconds until an address has answered, and between two answers.
OPEN_TIMEOUT_S, READ_TIMEOUT_S = 15.0, 10.0


def open_input(
    address: str, *, format: str | None = None, options: dict[str, str] | None = None, what: str = "the file or address"
) -> InputContainer:
    """Raises NotFoundError, NotAllowedError or NotReadableError; NotSupportedError without the extra `media`.

    The address is not in the errors: some hold passwords.
    """
    with media_extra():
        import av
        import numpy  # noqa: F401  # said here, not when the first sound is decoded
    with readable(what):
        opened: Any = av.open(address, format=format, options=options or {}, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))
    return opened  # type: ignore[no-any-return]  # the stubs know no format that is given by name


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Around what reads with PyAV."""
    import av

    try:
        yield
    except (FileNotFoundError, av.HTTPNotFoundError, av.ProtocolNotFoundError) as error:
        raise NotFoundError(f"{what} was not found", hint="is it spelled correctly?") from error
    except (PermissionError, av.HTTPUnauthorizedError, av.HTTPForbiddenError) as error:
        raise NotAllowedError(f"{what} may not be read by this user") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NotReadableError(f"{what} cannot be read: {reason}") from error
