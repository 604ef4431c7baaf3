"""Which way: WebSocket, else server-sent events, else long poll (docs/protocol.md, section 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from peerline.client.carriage import Kind, NoWayError, Open, Opened, Server
from peerline.client.errors import UnreachableError
from peerline.client.over_http import open_events, open_poll
from peerline.client.websocket import open_websocket
from peerline.signaling.messages import Hello

__all__ = ["TransportWish", "open_first", "ways"]

TransportWish = Literal["auto", "websocket", "http", "poll"]

# Server-sent events turn into a long poll by themselves where they are held back.
_ORDERS: dict[TransportWish, tuple[Kind, ...]] = {
    "auto": ("websocket", "sse"),
    "websocket": ("websocket",),
    "http": ("sse",),
    "poll": ("poll",),
}
_OPEN: dict[Kind, Open] = {"websocket": open_websocket, "sse": open_events, "poll": open_poll}


def ways(wish: TransportWish, winner: Kind | None = None) -> Sequence[Kind]:
    """What is tried, in order; what worked before first."""
    order = _ORDERS[wish]
    return order if winner is None else (winner, *(kind for kind in order if kind != winner))


async def open_first(kinds: Sequence[Kind], server: Server, hello: Callable[[], Hello]) -> Opened:
    """Open by the first of these that works.

    Raises UnreachableError if none does, the server's refusal as another PeerlineError.
    """
    reasons: list[NoWayError] = []
    for kind in kinds:
        try:
            return await _OPEN[kind](server, hello())
        except NoWayError as error:
            reasons.append(error)
            if error.is_untrusted:
                break
    last = reasons[-1]
    if last.is_untrusted:
        raise UnreachableError(
            f"{server.url} is not trusted: {last}", code="certificate",
            hint="Give its certificate, or that of its authority, with --ca FILE (a program: `tls`).",
        ) from last  # fmt: skip
    raise UnreachableError(
        f"{server.url} cannot be reached: {last}", hint="Is the server running, and is this its address?"
    ) from last
