"""The keys of a telephone arrive as packets of RFC 4733, in place of the sound."""

from __future__ import annotations

import asyncio
from typing import Any

from peerline import EncodedFrame, EncodedTrack, MediaStream, RTCPeerConnection


async def test_keys_arrive_one_after_the_other_with_their_ends() -> None:
    track, events = EncodedTrack("audio"), []
    sounds: list[bytes] = []

    async def read(remote: Any) -> None:
        async for frame in remote.encoded_frames():
            if frame.codec == "telephone-event":
                events.append((frame.timestamp, frame.data))
            else:
                sounds.append(frame.data)

    async with RTCPeerConnection() as a, RTCPeerConnection() as b:
        a.onicecandidate = lambda event: b.addIceCandidate(event.candidate)
        b.onicecandidate = lambda event: a.addIceCandidate(event.candidate)
        reading: list[Any] = []
        b.ontrack = lambda event: reading.append(asyncio.ensure_future(read(event.track)))
        sender = a.addTrack(track, MediaStream())
        await a.setLocalDescription()
        await b.setRemoteDescription(a.localDescription)
        await b.setLocalDescription()
        await a.setRemoteDescription(b.localDescription)
        await asyncio.gather(a.connected(), b.connected())
        track.write(EncodedFrame(b"before", 0, "opus"))
        assert sender.dtmf is not None
        sender.dtmf.insertDTMF("5#", 100, 50)
        async with asyncio.timeout(20):
            while sum(data[1] & 0x80 > 0 for _, data in events) < 6:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            track.write(EncodedFrame(b"after", 96_000, "opus"))
            while b"after" not in sounds:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for task in reading:
            task.cancel()
    assert list(dict.fromkeys(data[0] for _, data in events)) == [5, 11]
    by_key = {code: [one for one in events if one[1][0] == code] for code in (5, 11)}
    for packets in by_key.values():
        assert len({timestamp for timestamp, _ in packets}) == 1
        lengths = [int.from_bytes(data[2:], "big") for _, data in packets]
        assert lengths == sorted(lengths)
        assert lengths[-1] == 4800  # 100 ms at 48 kHz
    assert sounds == [b"before", b"after"]
