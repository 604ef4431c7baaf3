"""Ends in this process: ours, and aiortc's, which has events and candidates of its own kind."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from typing import Any

import aiortc
from aiortc.sdp import candidate_from_sdp

import peerline
from interop.end import PATIENCE_S, Candidate, Description, End

LOW_WATER = 1 << 18
HIGH_WATER = 1 << 20
FACTS = ("ordered", "maxRetransmits", "maxPacketLifeTime", "protocol", "negotiated", "id")


class PythonEnd(End):
    """What both have in common: W3C's names."""

    connection: Any

    def __init__(self) -> None:
        self.channels: dict[str, Any] = {}
        self.messages: defaultdict[str, asyncio.Queue[str | bytes]] = defaultdict(asyncio.Queue)
        self.changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    async def _until(self, is_so: Any) -> None:
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(is_so)

    def _change(self, *_: object) -> None:
        async def tell() -> None:
            async with self.changed:
                self.changed.notify_all()

        task = asyncio.ensure_future(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def opened(self, label: str) -> dict[str, Any]:
        await self._until(lambda: label in self.channels and self.channels[label].readyState == "open")
        return {fact: getattr(self.channels[label], fact) for fact in FACTS}

    async def send(self, label: str, data: str | bytes) -> None:
        self.channels[label].send(data)
        await asyncio.sleep(0)

    async def send_zeros(self, label: str, count: int, size: int) -> None:
        channel = self.channels[label]
        channel.bufferedAmountLowThreshold = LOW_WATER
        for number in range(count):
            channel.send(bytes([number % 256]) + bytes(size - 1))
            if channel.bufferedAmount > HIGH_WATER:
                await self._until(lambda: channel.bufferedAmount <= HIGH_WATER)
            elif number % 16 == 0:
                await asyncio.sleep(0)

    async def received(self, label: str) -> str | bytes:
        return await asyncio.wait_for(self.messages[label].get(), PATIENCE_S)

    async def digest(self, label: str, size: int) -> str:
        sha = hashlib.sha256()
        while size > 0:
            message = await self.received(label)
            assert isinstance(message, bytes)
            sha.update(message)
            size -= len(message)
        return sha.hexdigest()

    async def state(self, *wanted: str) -> str:
        await self._until(lambda: self.connection.connectionState in wanted)
        return str(self.connection.connectionState)

    async def close_channel(self, label: str) -> None:
        self.channels[label].close()

    async def closed(self, label: str) -> None:
        await self._until(lambda: self.channels[label].readyState == "closed")


class PeerlineEnd(PythonEnd):
    """Ours, as a page would write it."""

    def __init__(self, configuration: peerline.RTCConfiguration | None = None) -> None:
        super().__init__()
        self.connection = peerline.RTCPeerConnection(configuration)
        self.candidates: asyncio.Queue[Candidate | None] = asyncio.Queue()
        self.connection.onicecandidate = self._on_candidate
        self.connection.onconnectionstatechange = self._change
        self.connection.ondatachannel = lambda event: self._add(event.channel)

    def _on_candidate(self, event: Any) -> None:
        candidate = event.candidate
        if candidate is None:
            self.candidates.put_nowait(None)
        elif candidate.candidate:
            self.candidates.put_nowait(candidate.toJSON())

    def _add(self, channel: Any) -> None:
        self.channels[channel.label] = channel
        channel.binaryType = "arraybuffer"
        channel.onmessage = lambda event: self.messages[channel.label].put_nowait(event.data)
        channel.onopen = channel.onclose = channel.onbufferedamountlow = self._change
        self._change()

    async def create_channel(self, label: str, **options: Any) -> None:
        self._add(self.connection.createDataChannel(label, options))

    async def offer(self, *, restart: bool = False) -> Description:
        await self.connection.setLocalDescription(await self.connection.createOffer({"iceRestart": restart}))
        return self._local()

    async def answer(self, offer: Description) -> Description:
        await self.connection.setRemoteDescription(offer)
        await self.connection.setLocalDescription()
        return self._local()

    def _local(self) -> Description:
        description = self.connection.localDescription
        return {"type": description.type, "sdp": description.sdp}

    async def accept(self, answer: Description) -> None:
        await self.connection.setRemoteDescription(answer)

    async def next_candidate(self) -> Candidate | None:
        return await asyncio.wait_for(self.candidates.get(), PATIENCE_S)

    async def add_candidate(self, candidate: Candidate) -> None:
        await self.connection.addIceCandidate(candidate)

    async def close(self) -> None:
        self.connection.close()


class AiortcEnd(PythonEnd):
    """aiortc: no trickling out, its candidates are in its descriptions."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self.connection.on("connectionstatechange", self._change)
        self.connection.on("datachannel", self._add)

    def _add(self, channel: Any) -> None:
        self.channels[channel.label] = channel
        channel.on("message", self.messages[channel.label].put_nowait)
        for event in ("open", "close", "bufferedamountlow"):
            channel.on(event, self._change)
        self._change()

    async def create_channel(self, label: str, **options: Any) -> None:
        self._add(self.connection.createDataChannel(label, **options))

    async def offer(self, *, restart: bool = False) -> Description:
        if restart:
            raise NotImplementedError("aiortc cannot restart ICE")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self._local()

    async def answer(self, offer: Description) -> Description:
        await self.accept(offer)
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self._local()

    def _local(self) -> Description:
        description = self.connection.localDescription
        return {"type": description.type, "sdp": description.sdp}

    async def accept(self, answer: Description) -> None:
        await self.connection.setRemoteDescription(aiortc.RTCSessionDescription(**answer))

    async def next_candidate(self) -> Candidate | None:
        return None

    async def add_candidate(self, candidate: Candidate) -> None:
        if not candidate["candidate"]:
            return
        parsed = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
        parsed.sdpMid, parsed.sdpMLineIndex = candidate["sdpMid"], candidate["sdpMLineIndex"]
        await self.connection.addIceCandidate(parsed)

    async def close(self) -> None:
        await self.connection.close()
