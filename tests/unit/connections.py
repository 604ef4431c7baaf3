"""What tests of peer connections do again and again."""

from __future__ import annotations

import asyncio

from peerline import RTCPeerConnection, RTCSessionDescription
from peerline.events import Event


def described(pc: RTCPeerConnection) -> RTCSessionDescription:
    """Its local description."""
    found = pc.localDescription
    assert found is not None
    return found


async def negotiate(caller: RTCPeerConnection, callee: RTCPeerConnection) -> None:
    """A whole round. Candidates are in nobody's hands."""
    await caller.setLocalDescription()
    await callee.setRemoteDescription(described(caller))
    await callee.setLocalDescription()
    await caller.setRemoteDescription(described(callee))


def record(pc: RTCPeerConnection, *names: str) -> list[str]:
    """What happens, and in which signaling state."""
    seen: list[str] = []

    def see(event: Event) -> None:
        seen.append(f"{event.type} {pc.signalingState}")

    for name in names:
        pc.addEventListener(name, see)
    return seen


async def turns(count: int = 3) -> None:
    """Let tasks that are queued run."""
    for _ in range(count):
        await asyncio.sleep(0)


def trickle(one: RTCPeerConnection, other: RTCPeerConnection) -> None:
    """Each tells the other of its candidates."""
    one.onicecandidate = lambda event: other.addIceCandidate(event.candidate)
    other.onicecandidate = lambda event: one.addIceCandidate(event.candidate)
