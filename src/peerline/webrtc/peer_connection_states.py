"""The states of a connection, out of those of its transports (W3C WebRTC 4.3.2 to 4.3.4). Pure functions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

__all__ = [
    "RTCIceConnectionState", "RTCIceGatheringState", "RTCPeerConnectionState", "connection_state",
    "gathering_state", "ice_connection_state",
]  # fmt: skip

RTCIceGatheringState = Literal["new", "gathering", "complete"]
RTCIceConnectionState = Literal["closed", "failed", "disconnected", "new", "checking", "completed", "connected"]
RTCPeerConnectionState = Literal["closed", "failed", "disconnected", "new", "connecting", "connected"]


def gathering_state(gathering: Collection[str]) -> RTCIceGatheringState:
    """Of the states in which the transports gather candidates."""
    if "gathering" in gathering:
        return "gathering"
    return "complete" if gathering and set(gathering) == {"complete"} else "new"


def ice_connection_state(ice: Collection[str]) -> RTCIceConnectionState:
    """Of the states of ICE."""
    states = set(ice)
    if "failed" in states:
        return "failed"
    if "disconnected" in states:
        return "disconnected"
    if states <= {"new", "closed"}:
        return "new"
    if states & {"new", "checking"}:
        return "checking"
    return "completed" if states <= {"completed", "closed"} else "connected"


def connection_state(ice: RTCIceConnectionState, dtls: Collection[str]) -> RTCPeerConnectionState:
    """Of the state of ICE as a whole, and those of DTLS."""
    states = set(dtls)
    if ice == "failed" or "failed" in states:
        return "failed"
    if ice == "disconnected":
        return "disconnected"
    if not states or (ice == "new" and states <= {"new", "closed"}):
        return "new"
    # "completed" is "connected", and more: the specification's table means both.
    if ice in ("connected", "completed") and states <= {"connected", "closed"}:
        return "connected"
    return "connecting"
