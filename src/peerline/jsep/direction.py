"""Which way media goes: seen from the other side, and what two wishes come to (RFC 3264, section 6.1)."""

from __future__ import annotations

from typing import Literal

__all__ = ["TransceiverDirection", "direction_of", "intersect", "receives", "reverse", "sends"]

TransceiverDirection = Literal["sendrecv", "sendonly", "recvonly", "inactive"]


def sends(direction: str | None) -> bool:
    """Whether it includes sending."""
    return direction in ("sendrecv", "sendonly")


def receives(direction: str | None) -> bool:
    """Whether it includes receiving."""
    return direction in ("sendrecv", "recvonly")


def direction_of(is_sending: bool, is_receiving: bool) -> TransceiverDirection:
    """The word for it."""
    if is_sending:
        return "sendrecv" if is_receiving else "sendonly"
    return "recvonly" if is_receiving else "inactive"


def reverse(direction: str) -> TransceiverDirection:
    """The same, as the peer sees it."""
    return direction_of(receives(direction), sends(direction))


def intersect(one: str, other: str) -> TransceiverDirection:
    """What both, seen from the same side, allow."""
    return direction_of(sends(one) and sends(other), receives(one) and receives(other))
