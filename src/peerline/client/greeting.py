"""How a session begins, as bytes: `hello`, and what comes back (docs/protocol.md, section 4)."""

from __future__ import annotations

import msgspec

from peerline.client.carriage import NoWayError
from peerline.client.envelope import Envelope
from peerline.client.errors import refusal
from peerline.signaling.messages import Hello, Welcome


def write_hello(hello: Hello) -> bytes:
    """The first frame."""
    return b'{"t":"hello","d":%b}' % msgspec.json.encode(hello)


def read_welcome(envelope: Envelope | None) -> Welcome:
    """Raises the server's refusal as a PeerlineError; NoWayError if this is no server of this protocol."""
    if envelope is not None and envelope.t == "err":
        raise refusal(envelope.d)
    try:
        if envelope is not None and envelope.t == "welcome":
            return msgspec.json.decode(envelope.d, type=Welcome)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise NoWayError("what answers there is not a server of this protocol")
