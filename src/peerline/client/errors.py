"""What can go wrong for a client, beside refusals of the server in general (`RefusedError`, `AuthError`)."""

from __future__ import annotations

from typing import Any

import msgspec

from peerline.errors import AuthError, PeerlineError, RefusedError

__all__ = ["CallOverError", "SignedOutError", "TransferError", "UnreachableError", "refusal"]


class UnreachableError(PeerlineError):
    """There is no server of this protocol, or no way to it; `certificate`: there is one, but it is not trusted."""

    code = "unreachable"


class SignedOutError(PeerlineError):
    """The session is over: by us (`closed`), or by the server, in whose words `code` says why."""

    code = "closed"


class CallOverError(RefusedError):
    """The call has ended, or never came about. `code` is why: a word of docs/protocol.md, section 7 (`declined`,
    `hangup`, `ice_failed` …), or the code of the refusal (`busy`, `offline` …)."""

    code = "lost"


class TransferError(PeerlineError):
    """A file did not get over: `cancelled` by the other side, `bad` checksum, `no_room` on the disk, or `failed`."""

    code = "failed"


class _Err(msgspec.Struct):
    code: str = "error"
    msg: str = ""
    hint: str | None = None
    retry_ms: int | None = None


def refusal(body: msgspec.Raw | bytes) -> PeerlineError:
    """The error that the body of an `err` tells of, which may be anything (docs/protocol.md, section 11)."""
    try:
        err = msgspec.json.decode(body, type=_Err)
    except (msgspec.DecodeError, UnicodeDecodeError):
        err = _Err()
    more: dict[str, Any] = {"code": err.code, "hint": err.hint, "retry_ms": err.retry_ms}
    return (AuthError if err.code == "auth" else RefusedError)(err.msg or err.code, **more)
