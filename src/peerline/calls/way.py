"""The way from one party of a call to the other: what the hot path needs, ready-made (docs/protocol.md, section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peerline.signaling.messages import RELAYED

if TYPE_CHECKING:
    from peerline.calls.call import Side


class Way:
    """Where what a device says in its call goes, and, by type, the text of the envelope around the body."""

    __slots__ = ("heads", "to", "token")

    def __init__(self, token: str, to: Side, stamp: bytes) -> None:
        self.token = token
        self.to = to
        # A name may hold a percent sign.
        stamped = b'%b,"call":"%b"' % (stamp.replace(b"%", b"%%"), token.encode())
        self.heads = {t: b'"t":"%b"%b,"d":%%b}' % (t.encode(), stamped) for t in RELAYED}
