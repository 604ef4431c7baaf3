"""Time-limited credentials: a name with an expiry in it, and a password that proves it.

The form is that of "A REST API for access to TURN services", which coturn and everybody else know: the user name is
`EXPIRY:NAME`, EXPIRY in seconds since 1970, and the password the base64 of HMAC-SHA1(secret, user name).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from peerline import _core


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client puts into RTCIceServer."""

    username: str
    password: str = field(repr=False)


def make_credentials(secret: bytes, name: str, *, now_s: float, ttl_s: float) -> Credentials:
    """Credentials for `name` that are good for `ttl_s` seconds. The name goes over the wire in the clear."""
    username = f"{int(now_s + ttl_s)}:{name}"
    return Credentials(username, _core.rest_password(secret, username))
