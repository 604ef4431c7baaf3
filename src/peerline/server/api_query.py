"""What the API is asked for, read from the query. Raises RemoteProtocolError where it makes no sense."""

from __future__ import annotations

from starlette.requests import Request

from peerline.errors import RemoteProtocolError


def number(request: Request, name: str, default: int | None, highest: int) -> int | None:
    """A number from 1 to `highest`."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 16 or not 1 <= int(text) <= highest:
        raise RemoteProtocolError(f"{name} is no number from 1 to {highest}")
    return int(text)


def limit(request: Request, default: int, highest: int) -> int:
    """How many at most."""
    found = number(request, "limit", default, highest)
    assert found is not None
    return found


def flag(request: Request, name: str) -> bool:
    """`true` or `false`, which is what is meant when nothing is said."""
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise RemoteProtocolError(f"{name} is neither true nor false")
    return text == "true"
