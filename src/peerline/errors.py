"""Every error of Peerline, sorted by whose fault it is.

PeerlineError                 .code (stable, the same word on the wire and in metrics) · .hint (what to do)
├─ RemoteProtocolError        the other side sent something illegal
├─ ConfigError                a setting is wrong: where, and the nearest right one
├─ AuthError                  not who they say they are, or no longer
├─ RefusedError               understood, but the answer is no (busy, taken, gone …)
└─ BackendError               a store is unavailable; .retryable
"""

from __future__ import annotations

__all__ = [
    "AuthError",
    "BackendError",
    "ConfigError",
    "PeerlineError",
    "RefusedError",
    "RemoteProtocolError",
]


class PeerlineError(Exception):
    """The root. `code` is a stable slug for programs, the message and `hint` are for people."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        retry_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.hint = hint
        self.retry_ms = retry_ms

    @property
    def message(self) -> str:
        """What went wrong, for people."""
        return str(self.args[0])


class RemoteProtocolError(PeerlineError):
    """The other side sent something the protocol does not allow."""

    code = "bad"


class ConfigError(PeerlineError):
    """A setting is unknown or has an impossible value."""

    code = "config"


class AuthError(PeerlineError):
    """A token or key is missing, wrong or expired."""

    code = "auth"


class RefusedError(PeerlineError):
    """A request that was understood and refused; `code` is one of those of docs/protocol.md, section 11."""

    code = "forbidden"


class BackendError(PeerlineError):
    """A store cannot be reached or refused to work."""

    code = "unavailable"

    def __init__(self, message: str, *, retryable: bool = True, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, retry_ms=1000 if retryable else None)
        self.retryable = retryable
