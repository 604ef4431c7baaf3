"""Which description may be set in which state, and what state follows (W3C WebRTC 4.3.1; RFC 9429, section 3.2).

One table. Whoever set the offer that is pending may replace it; it can be taken back through either method, as browsers
allow, until there is an answer, be it provisional.
"""

from __future__ import annotations

from typing import Literal, get_args

from peerline.errors import InvalidStateError

__all__ = ["STATES", "TRANSITIONS", "SdpType", "Side", "SignalingState", "can_roll_back_implicitly", "next_state"]

SignalingState = Literal[
    "stable", "have-local-offer", "have-remote-offer", "have-local-pranswer", "have-remote-pranswer", "closed"
]
SdpType = Literal["offer", "pranswer", "answer", "rollback"]
Side = Literal["local", "remote"]

STATES: tuple[SignalingState, ...] = get_args(SignalingState)

TRANSITIONS: dict[tuple[SignalingState, Side, SdpType], SignalingState] = {
    ("stable", "local", "offer"): "have-local-offer",
    ("stable", "remote", "offer"): "have-remote-offer",
    ("have-local-offer", "local", "offer"): "have-local-offer",
    ("have-local-offer", "local", "rollback"): "stable",
    ("have-local-offer", "remote", "rollback"): "stable",
    ("have-local-offer", "remote", "pranswer"): "have-remote-pranswer",
    ("have-local-offer", "remote", "answer"): "stable",
    ("have-remote-offer", "remote", "offer"): "have-remote-offer",
    ("have-remote-offer", "local", "rollback"): "stable",
    ("have-remote-offer", "remote", "rollback"): "stable",
    ("have-remote-offer", "local", "pranswer"): "have-local-pranswer",
    ("have-remote-offer", "local", "answer"): "stable",
    ("have-local-pranswer", "local", "pranswer"): "have-local-pranswer",
    ("have-local-pranswer", "local", "answer"): "stable",
    ("have-remote-pranswer", "remote", "pranswer"): "have-remote-pranswer",
    ("have-remote-pranswer", "remote", "answer"): "stable",
}


def next_state(state: SignalingState, side: Side, kind: SdpType) -> SignalingState:
    """The state that follows. Raises InvalidStateError, which says what could be set instead."""
    found = TRANSITIONS.get((state, side, kind))
    if found is None:
        possible = ", ".join(f"{side_} {kind_}" for state_, side_, kind_ in TRANSITIONS if state_ == state)
        raise InvalidStateError(
            f"a {side} description of type {kind!r} cannot be set in the state {state!r}",
            hint=f"Possible here: {possible or 'nothing'}.",
        )
    return found


def can_roll_back_implicitly(state: SignalingState, side: Side, kind: SdpType) -> bool:
    """Whether a remote offer meets an offer of our own, which then gives way (RFC 9429, section 4.1.11)."""
    return side == "remote" and kind == "offer" and state == "have-local-offer"
