"""Arrays in and arrays out, between two connections in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from peerline import Peer, RTCPeerConnection
from peerline.errors import InvalidStateError
from peerline.peer import DropOldest
from peerline.sync import Runner

np = pytest.importorskip("numpy", reason="needs the extra media")
pytest.importorskip("av", reason="needs the extra media")


async def negotiate(a: RTCPeerConnection, b: RTCPeerConnection) -> None:
    await a.setLocalDescription()
    await b.setRemoteDescription(a.localDescription)
    await b.setLocalDescription()
    await a.setRemoteDescription(b.localDescription)
    await asyncio.gather(a.connected(), b.connected())


@pytest.fixture
async def two() -> AsyncIterator[tuple[Peer, Peer]]:
    async with RTCPeerConnection() as a, RTCPeerConnection() as b:
        a.onicecandidate = lambda event: b.addIceCandidate(event.candidate)
        b.onicecandidate = lambda event: a.addIceCandidate(event.candidate)
        yield Peer(a), Peer(b)


def tone(seconds: float, rate: int, frequency_hz: float = 440.0) -> Any:
    return (0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def strongest_hz(samples: Any, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64)))
    return float(np.argmax(spectrum) * rate / len(samples))


async def test_what_one_says_at_24_khz_the_other_hears_at_16_khz(two: tuple[Peer, Peer]) -> None:
    ann, bob = two
    out = ann.audio.output()
    await negotiate(ann.pc, bob.pc)
    heard = []
    async with asyncio.timeout(20), bob.audio.receive(rate=16_000, frame_ms=20) as sound:
        saying = asyncio.ensure_future(out.write(tone(3.0, 24_000), rate=24_000))
        async for samples in sound:
            assert samples.shape == (320,)
            assert samples.dtype == np.int16
            heard.append(samples)
            if len(heard) == 75:
                break
        saying.cancel()
    loud = np.concatenate(heard)[-16_000:]
    assert strongest_hz(loud, 16_000) == pytest.approx(440, abs=5)


async def test_what_was_not_said_yet_can_be_taken_back(two: tuple[Peer, Peer]) -> None:
    ann, bob = two
    out = ann.audio.output(buffer_ms=100)
    await negotiate(ann.pc, bob.pc)
    saying = asyncio.ensure_future(out.write(tone(60.0, 48_000)))
    async with asyncio.timeout(20), bob.audio.receive() as sound:
        await anext(sound)
    assert not saying.done()
    assert out.queued_ms > 8_000
    assert out.clear() > 8_000
    await asyncio.wait_for(saying, 5)
    assert out.queued_ms == 0
    await asyncio.wait_for(out.drained(), 5)


async def test_who_writes_much_waits_and_who_writes_little_does_not(two: tuple[Peer, Peer]) -> None:
    out = two[0].audio.output(buffer_ms=500)
    await asyncio.wait_for(out.write(tone(0.4, 48_000)), 5)
    assert out.queued_ms > 0
    out.close()
    out.close()
    with pytest.raises(InvalidStateError):
        await out.write(tone(0.1, 48_000))


async def test_sound_that_is_none_is_refused(two: tuple[Peer, Peer]) -> None:
    out = two[0].audio.output()
    with pytest.raises(TypeError, match="int16 or floats"):
        await out.write(np.zeros(100, np.int64))
    with pytest.raises(TypeError):
        await out.write(np.zeros((2, 2, 2), np.int16))


async def test_pictures_arrive_as_arrays_and_only_the_latest_waits(two: tuple[Peer, Peer]) -> None:
    ann, bob = two
    out = ann.video.output()
    await negotiate(ann.pc, bob.pc)
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[:, 160:] = (200, 30, 30)
    pictures = bob.video.receive(format="rgb24")

    async def show() -> None:
        while True:
            await out.write(picture)
            await asyncio.sleep(1 / 30)  # as a camera

    showing = asyncio.ensure_future(show())
    try:
        async with asyncio.timeout(20):
            await anext(pictures)
            async with bob.video.receive(format="gray") as others:
                for _ in range(5):
                    await anext(others)
            seen = await anext(pictures)
    finally:
        showing.cancel()
        pictures.close()
    assert seen.shape == (240, 320, 3)
    assert np.abs(seen[120, 240].astype(int) - (200, 30, 30)).max() < 40
    assert seen[120, 40].max() < 40
    assert pictures.dropped > 0


async def test_a_backlog_keeps_the_newest(two: tuple[Peer, Peer]) -> None:
    ann, bob = two
    out = ann.audio.output(buffer_ms=2_000)
    await negotiate(ann.pc, bob.pc)
    sound = bob.audio.receive(frame_ms=20, backlog=DropOldest(ms=100))
    async with asyncio.timeout(20), bob.audio.receive(frame_ms=20) as others:
        await out.write(tone(1.5, 48_000))
        for _ in range(50):
            await anext(others)
    out.close()
    sound.close()
    waiting = [samples async for samples in sound]
    assert 1 <= len(waiting) <= 5
    assert sound.dropped > 0


def test_a_program_without_a_loop_hears_and_speaks() -> None:
    with Runner() as run:

        def connections() -> tuple[RTCPeerConnection, RTCPeerConnection]:
            a, b = RTCPeerConnection(), RTCPeerConnection()
            a.onicecandidate = lambda event: b.addIceCandidate(event.candidate)
            b.onicecandidate = lambda event: a.addIceCandidate(event.candidate)
            return a, b

        a, b = run.call(connections)
        ann, bob = Peer(a), Peer(b)
        out = run.call(ann.audio.output, buffer_ms=3_000)
        run(negotiate(a, b))
        sound = run.call(bob.audio.receive, rate=16_000)
        run(out.write(tone(1.0, 16_000), rate=16_000))
        heard = []
        for samples in run.each(sound):
            heard.append(samples)
            if len(heard) == 20:
                break
        assert sum(len(one) for one in heard) == 20 * 320
        run.call(a.close)
        run.call(b.close)
    run.close()
    with pytest.raises(InvalidStateError):
        run.call(print)
