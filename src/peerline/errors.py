"""Every error of Peerline, sorted by whose fault it is.

PeerlineError                 .code (stable, the same word on the wire and in metrics) · .hint (what to do)
├─ RemoteProtocolError        the other side sent something illegal
├─ ConfigError                a setting is wrong: where, and the nearest right one
├─ AuthError                  not who they say they are, or no longer
├─ RefusedError               understood, but the answer is no (busy, taken, gone …)
├─ BackendError               a store is unavailable; .retryable
├─ LoopError                  no event loop runs here, or it is one of another process
├─ RangeError                 a number is out of range (JavaScript's RangeError; a ValueError, too)
└─ DOMException               the W3C's: .name as there, .code the number that old ones have
   └─ InvalidStateError, InvalidAccessError, OperationError …: one class for each name

A wrong type or a missing member is Python's own TypeError, as it is JavaScript's.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AbortError",
    "AuthError",
    "BackendError",
    "ConfigError",
    "ConstraintError",
    "DOMException",
    "DOMSyntaxError",
    "DOMTimeoutError",
    "DataCloneError",
    "DataError",
    "EncodingError",
    "IndexSizeError",
    "InvalidAccessError",
    "InvalidCharacterError",
    "InvalidModificationError",
    "InvalidStateError",
    "LoopError",
    "NetworkError",
    "NotAllowedError",
    "NotFoundError",
    "NotReadableError",
    "NotSupportedError",
    "OperationError",
    "PeerlineError",
    "QuotaExceededError",
    "RangeError",
    "RefusedError",
    "RemoteProtocolError",
    "SecurityError",
    "TypeMismatchError",
    "UnknownError",
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


class LoopError(PeerlineError):
    """There is no event loop to work on: none runs in this thread (`no-loop`), or it is a parent's (`forked`)."""

    code = "no-loop"


class RangeError(PeerlineError, ValueError):
    """A number is out of its range: what JavaScript calls a RangeError."""

    code = "range"


class DOMException(PeerlineError):
    """An error of the W3C's APIs (Web IDL, section 2.8.1). `DOMException(message, name)` gives the class of that name.

    `code` is the number that the older names have, 0 for the others, as in a browser; `name` is what tells them apart.
    """

    code: int = 0  # type: ignore[assignment]
    name: str = "Error"
    _named: ClassVar[dict[str, type[DOMException]]] = {}

    INDEX_SIZE_ERR = 1
    HIERARCHY_REQUEST_ERR = 3
    WRONG_DOCUMENT_ERR = 4
    INVALID_CHARACTER_ERR = 5
    NO_MODIFICATION_ALLOWED_ERR = 7
    NOT_FOUND_ERR = 8
    NOT_SUPPORTED_ERR = 9
    INUSE_ATTRIBUTE_ERR = 10
    INVALID_STATE_ERR = 11
    SYNTAX_ERR = 12
    INVALID_MODIFICATION_ERR = 13
    NAMESPACE_ERR = 14
    INVALID_ACCESS_ERR = 15
    TYPE_MISMATCH_ERR = 17
    SECURITY_ERR = 18
    NETWORK_ERR = 19
    ABORT_ERR = 20
    URL_MISMATCH_ERR = 21
    QUOTA_EXCEEDED_ERR = 22
    TIMEOUT_ERR = 23
    INVALID_NODE_TYPE_ERR = 24
    DATA_CLONE_ERR = 25

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "name" in cls.__dict__:
            cls._named.setdefault(cls.name, cls)

    def __new__(cls, message: str = "", name: str | None = None, **more: Any) -> DOMException:
        kind = cls._named.get(name, cls) if cls is DOMException and name is not None else cls
        return super().__new__(kind, message, **more)

    def __init__(self, message: str = "", name: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        if name is not None:
            self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.message, self.name)


def _again(kind: type[DOMException], message: str, name: str) -> DOMException:
    return kind(message, name)


class IndexSizeError(DOMException):
    """An index is out of range."""

    name = "IndexSizeError"
    code = 1


class InvalidCharacterError(DOMException):
    """A text holds characters that it must not."""

    name = "InvalidCharacterError"
    code = 5


class NotFoundError(DOMException):
    """What was asked for is not there."""

    name = "NotFoundError"
    code = 8


class NotSupportedError(DOMException):
    """The operation is not supported."""

    name = "NotSupportedError"
    code = 9


class InvalidStateError(DOMException):
    """The object is in a state in which this is impossible."""

    name = "InvalidStateError"
    code = 11


class DOMSyntaxError(DOMException):
    """A text is not what its grammar asks for: the W3C's `SyntaxError`, not Python's."""

    name = "SyntaxError"
    code = 12


class InvalidModificationError(DOMException):
    """The object cannot be changed like this."""

    name = "InvalidModificationError"
    code = 13


class InvalidAccessError(DOMException):
    """The object does not support this argument or operation."""

    name = "InvalidAccessError"
    code = 15


class TypeMismatchError(DOMException):
    """A value is of another type than expected."""

    name = "TypeMismatchError"
    code = 17


class SecurityError(DOMException):
    """The operation is insecure."""

    name = "SecurityError"
    code = 18


class NetworkError(DOMException):
    """The network failed."""

    name = "NetworkError"
    code = 19


class AbortError(DOMException):
    """The operation was aborted."""

    name = "AbortError"
    code = 20


class QuotaExceededError(DOMException):
    """There is no room for more."""

    name = "QuotaExceededError"
    code = 22


class DOMTimeoutError(DOMException):
    """The operation took too long: the W3C's `TimeoutError`, not Python's."""

    name = "TimeoutError"
    code = 23


class DataCloneError(DOMException):
    """The object cannot be cloned."""

    name = "DataCloneError"
    code = 25


class EncodingError(DOMException):
    """Encoding or decoding failed."""

    name = "EncodingError"


class NotReadableError(DOMException):
    """A device or file cannot be read."""

    name = "NotReadableError"


class UnknownError(DOMException):
    """It failed for a reason that has nothing to do with the request."""

    name = "UnknownError"


class ConstraintError(DOMException):
    """A constraint was not satisfied."""

    name = "ConstraintError"


class DataError(DOMException):
    """The data is not good enough."""

    name = "DataError"


class OperationError(DOMException):
    """The operation failed for a reason of its own."""

    name = "OperationError"


class NotAllowedError(DOMException):
    """The user or the platform does not allow it."""

    name = "NotAllowedError"
