"""How a session begins, as bytes: `hello` and what comes back (docs/protocol.md, section 4)."""

from __future__ import annotations

from typing import Any

import msgspec

from peerline.errors import PeerlineError, RemoteProtocolError
from peerline.signaling import messages as m

_welcome = msgspec.json.Decoder(m.Welcome)
_TOKEN_HINT = "peerline token create --name doctor > token.txt && peerline doctor --token token.txt"


class _Envelope(msgspec.Struct):
    t: str
    d: msgspec.Raw = msgspec.Raw(b"{}")


def write_hello(hello: m.Hello) -> bytes:
    """The first frame."""
    return b'{"t":"hello","d":%b}' % msgspec.json.encode(hello)


def read_welcome(frame: bytes) -> m.Welcome:
    """Raises PeerlineError with the server's own words if it refused, RemoteProtocolError if it said something else."""
    try:
        envelope = msgspec.json.decode(frame, type=_Envelope)
        if envelope.t == "welcome":
            return _welcome.decode(envelope.d)
        body: dict[str, Any] = msgspec.json.decode(envelope.d)
        code, words = str(body["code"]), str(body["msg"])
    except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError):
        raise RemoteProtocolError("the answer to hello is neither welcome nor err") from None
    hint = _TOKEN_HINT if code == "auth" else body.get("hint")
    raise PeerlineError(f"the server refused to let us in: {words}", code=code, hint=hint)
