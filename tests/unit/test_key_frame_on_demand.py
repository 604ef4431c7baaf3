"""setParameters can ask for a key frame; what is asked for in the wrong number is refused."""

from __future__ import annotations

import asyncio

import pytest

from peerline import EncodedTrack, MediaStream, RTCPeerConnection
from peerline.errors import InvalidModificationError


async def test_a_key_frame_is_asked_of_whoever_encodes() -> None:
    track = EncodedTrack("video")
    asked = asyncio.Event()
    track.onkeyframe = lambda _: asked.set()
    async with RTCPeerConnection() as a, RTCPeerConnection() as b:
        sender = a.addTrack(track, MediaStream())
        await a.setLocalDescription()
        await b.setRemoteDescription(a.localDescription)
        await b.setLocalDescription()
        await a.setRemoteDescription(b.localDescription)
        await sender.setParameters(sender.getParameters(), {"encodingOptions": [{"keyFrame": False}]})
        assert not asked.is_set()
        await sender.setParameters(sender.getParameters(), {"encodingOptions": [{"keyFrame": True}]})
        await asyncio.wait_for(asked.wait(), 10)
        with pytest.raises(InvalidModificationError):
            await sender.setParameters(sender.getParameters(), {"encodingOptions": [{}, {}]})
