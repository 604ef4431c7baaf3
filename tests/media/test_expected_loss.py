"""From what the other side reports of losses to the encoder of sound, which says things twice then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("av", reason="encoding needs PyAV: pip install 'peerline[media]'")

from media.tracks import until
from peerline import MediaStream, MediaStreamTrack, RTCPeerConnection
from peerline.lab import BadPath
from peerline.media.sources import Tone

LOSS = 0.3


async def connect(a: RTCPeerConnection, b: RTCPeerConnection, path: BadPath) -> None:
    await a.setLocalDescription()
    await b.setRemoteDescription(a.localDescription)
    await b.setLocalDescription()
    await a.setRemoteDescription(b.localDescription)
    for side, pc in enumerate((a, b)):
        await pc.addIceCandidate({"candidate": path.candidate(side), "sdpMLineIndex": 0})
    await asyncio.gather(a.connected(), b.connected())


async def test_what_reports_say_of_losses_comes_to_the_encoder_and_to_the_ear() -> None:
    track = MediaStreamTrack("audio", source=Tone())
    with BadPath(seed=7) as path:
        async with RTCPeerConnection() as a, RTCPeerConnection() as b, asyncio.timeout(60):
            heard: list[Any] = []

            async def hear(remote: Any) -> None:
                async for frame in remote.frames():
                    heard.append(frame)

            listening: list[Any] = []
            b.ontrack = lambda event: listening.append(asyncio.ensure_future(hear(event.track)))
            sender = a.addTrack(track, MediaStream([track]))
            await connect(a, b, path)
            await until(lambda: len(heard) > 10, 20)
            sending: Any = sender._sending
            assert sending._encoding.expected_loss == 0
            path.shape(loss=LOSS, direction="up")
            await until(lambda: sending._encoding.expected_loss > LOSS / 2, 20)
            decoding: Any = b.getReceivers()[0]._track.decoding
            decoder = decoding._decoders["opus"]
            await until(lambda: decoder.has_recovered, 20)
            for task in listening:
                task.cancel()
    track.stop()
