"""Perfect negotiation (W3C WebRTC 10.7): both ends may offer at any moment, and in the end they agree."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Any

import pytest

from peerline import RTCPeerConnection


class Peer:
    """The specification's example, line by line. Signaling is a queue in each direction."""

    def __init__(self, is_polite: bool) -> None:
        self.pc = RTCPeerConnection()
        self.is_polite = is_polite
        self.other: Peer
        self.inbox: deque[dict[str, Any]] = deque()
        self.making_offer = self.ignore_offer = self.is_setting_answer = False
        self.pc.onnegotiationneeded = self.offer
        self.pc.onicecandidate = lambda event: self.other.inbox.append({"candidate": event.candidate})

    async def offer(self, _: Any) -> None:
        try:
            self.making_offer = True
            await self.pc.setLocalDescription()
            self.other.inbox.append({"description": self.pc.localDescription})
        finally:
            self.making_offer = False

    async def take(self) -> None:
        """The next message, if there is one."""
        if not self.inbox:
            return
        message = self.inbox.popleft()
        pc, description = self.pc, message.get("description")
        if description is not None:
            is_ready = not self.making_offer and (pc.signalingState == "stable" or self.is_setting_answer)
            self.ignore_offer = not self.is_polite and description.type == "offer" and not is_ready
            if self.ignore_offer:
                return
            self.is_setting_answer = description.type == "answer"
            await pc.setRemoteDescription(description)
            self.is_setting_answer = False
            if description.type == "offer":
                await pc.setLocalDescription()
                self.other.inbox.append({"description": pc.localDescription})
        else:
            try:
                await pc.addIceCandidate(message["candidate"])
            except Exception:
                if not self.ignore_offer:
                    raise

    def mids(self) -> list[str]:
        return sorted(one.mid or "" for one in self.pc.getTransceivers())


@pytest.mark.parametrize("seed", range(10))
async def test_in_the_end_both_sides_agree(seed: int) -> None:
    chance = random.Random(seed)
    polite, impolite = peers = Peer(True), Peer(False)
    polite.other, impolite.other = impolite, polite
    for _ in range(40):
        peer = chance.choice(peers)
        match chance.randrange(6):
            case 0:
                peer.pc.addTransceiver(chance.choice(("audio", "video")))
            case 1 if peer.pc.getTransceivers():
                chance.choice(peer.pc.getTransceivers()).stop()
            case 2:
                peer.pc.restartIce()
            case 3:
                peer.pc.createDataChannel("x")
            case _:
                await peer.take()
        await asyncio.sleep(0)
    quiet = 0
    while quiet < 20:
        if not (polite.inbox or impolite.inbox):
            quiet += 1
            await asyncio.sleep(0)
            continue
        quiet = 0
        for peer in peers:
            await peer.take()
    assert [peer.pc.signalingState for peer in peers] == ["stable", "stable"]
    assert polite.mids() == impolite.mids()
    assert "" not in polite.mids()
    for peer in peers:
        peer.pc.close()
