"""`jitterBufferTarget`: frames wait that long, and go out as evenly as they were made (W3C webrtc-extensions)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from peerline import MediaStream, RTCPeerConnection
from peerline.media import EncodedFrame, EncodedTrack

TARGET_MS = 300


async def connected(a: RTCPeerConnection, b: RTCPeerConnection) -> None:
    a.onicecandidate = lambda event: b.addIceCandidate(event.candidate)
    b.onicecandidate = lambda event: a.addIceCandidate(event.candidate)
    await a.setLocalDescription()
    await b.setRemoteDescription(a.localDescription)
    await b.setLocalDescription()
    await a.setRemoteDescription(b.localDescription)
    await asyncio.gather(a.connected(), b.connected())


async def delay_s(track: EncodedTrack, heard: asyncio.Queue[tuple[bytes, float]], name: bytes, timestamp: int) -> float:
    """From the moment a frame is written to the one at which it is read."""
    written_s = time.monotonic()
    track.write(EncodedFrame(name, timestamp, "opus"))
    while True:
        found, at_s = await heard.get()
        if found == name:
            return at_s - written_s


async def jitter_buffer(receiver: Any) -> tuple[int, float, float]:
    stats = next(one for one in (await receiver.getStats()).values() if one["type"] == "inbound-rtp")
    return stats["jitterBufferEmittedCount"], stats["jitterBufferDelay"], stats["jitterBufferTargetDelay"]


async def test_frames_wait_as_long_as_it_says_and_statistics_tell() -> None:
    track = EncodedTrack("audio")
    heard: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()

    async def read(remote: Any) -> None:
        async for frame in remote.encoded_frames():
            heard.put_nowait((frame.data, time.monotonic()))

    async with RTCPeerConnection() as a, RTCPeerConnection() as b, asyncio.timeout(20):
        reading: list[Any] = []
        b.ontrack = lambda event: reading.append(asyncio.ensure_future(read(event.track)))
        a.addTrack(track, MediaStream())
        await connected(a, b)
        receiver = b.getReceivers()[0]
        await delay_s(track, heard, b"first", 0)
        _, _, target = await jitter_buffer(receiver)
        assert target == 0

        receiver.jitterBufferTarget = TARGET_MS
        # The first one of a silence is as much behind as the path is slow: nothing but the target holds it back.
        assert await delay_s(track, heard, b"held", 48_000) >= TARGET_MS / 1000 - 0.02
        emitted, delay, target = await jitter_buffer(receiver)
        assert emitted == 2 * 960
        assert target / 960 == TARGET_MS / 1000
        assert delay / 960 >= TARGET_MS / 1000 - 0.02

        receiver.jitterBufferTarget = None
        await delay_s(track, heard, b"free", 96_000)
        assert (await jitter_buffer(receiver))[2] == target
        for task in reading:
            task.cancel()


async def test_it_can_be_set_before_there_is_a_connection_and_after_it_was_closed() -> None:
    connection = RTCPeerConnection()
    receiver = connection.addTransceiver("audio").receiver
    receiver.jitterBufferTarget = 100
    connection.close()
    receiver.jitterBufferTarget = 200
    assert receiver.jitterBufferTarget == 200
