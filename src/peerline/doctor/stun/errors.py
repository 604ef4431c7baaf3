"""What can go wrong between us and a STUN or TURN server."""

from __future__ import annotations

from peerline.errors import PeerlineError, RemoteProtocolError


class MalformedError(RemoteProtocolError):
    """What came is no STUN message, or not what was promised."""

    code = "stun_malformed"


class SilentError(PeerlineError):
    """No answer that can be used came in time."""

    code = "stun_silent"


class LinkLostError(PeerlineError):
    """The connection could not be made, or broke."""

    code = "stun_link"


class RefusedByServerError(PeerlineError):
    """The server's answer is an error: `number` as in RFC 8489 §14.8, 401 for example."""

    def __init__(self, number: int, reason: str, *, realm: bytes | None = None, nonce: bytes | None = None) -> None:
        super().__init__(f"{number} {reason}".rstrip(), code=f"stun_{number}")
        self.number = number
        self.realm = realm
        """With 401: whose password is asked for."""
        self.nonce = nonce
        """With 401 and 438: what the next request has to repeat."""
