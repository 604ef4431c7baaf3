"""Which pages may talk to us: those we served, and those the operator allows. Also who counts as the operator."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
# A request that came through a proxy is not local, wherever the proxy runs.
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def may_connect(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` may use the signaling under `host`. No origin: not a browser."""
    if origin is None:
        return True
    if origin in allowed or "*" in allowed:
        return True
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # no address at all
        return False


def is_local(headers: Headers, client: str | None) -> bool:
    """Whether a request is from a person at this machine.

    The address alone does not say so: a proxy on this machine has it too, and a page elsewhere whose name
    was made to point here (DNS rebinding) has it as well, but sends its own name as Host.
    """
    try:
        if client is None or not ipaddress.ip_address(client).is_loopback:
            return False
    except ValueError:
        return False
    if any(name in headers for name in PROXY_HEADERS):
        return False
    host = headers.get("host", "").lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return name in LOCAL_NAMES
