"""Sound and pictures between Peerline and others: Chromium gets back what it sends, and plays it; so does aiortc."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import aiortc
import pytest
from aiortc.rtp import unpack_remb_fci

import peerline
from interop.chromium_end import ChromiumEnd
from interop.conftest import MakeEnd
from interop.end import connect
from interop.python_end import AiortcEnd, PeerlineEnd
from peerline.media import EncodedTrack
from peerline.media.sources import TestPattern, Tone

PATIENCE_S = 30.0

AUDIO = ["opus", "pcmu", "pcma", "g722"]
VIDEO = ["vp8", "vp9", "av1", "h264"]


class Echo(PeerlineEnd):
    """Sends back what comes, as it came."""

    def __init__(self) -> None:
        super().__init__()
        self.codecs: set[str] = set()
        self.frames = 0
        self.connection.ontrack = self._on_track

    def _on_track(self, event: Any) -> None:
        back = EncodedTrack(event.track.kind, "echo")
        back.onkeyframe = lambda _: event.track.request_key_frame()
        event.transceiver.direction = "sendrecv"
        event.transceiver.sender.replaceTrack(back)
        task = asyncio.ensure_future(self._pass(event.track, back))
        self._tasks.add(task)

    async def _pass(self, track: Any, back: EncodedTrack) -> None:
        async for frame in track.encoded_frames():
            self.codecs.add(frame.codec)
            self.frames += 1
            back.write(frame)


async def until(is_so: Callable[[list[dict[str, Any]]], bool], end: ChromiumEnd, type: str) -> list[dict[str, Any]]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await end.stats(type)
            if is_so(found):
                return found
            await asyncio.sleep(0.2)


def is_playing(found: list[dict[str, Any]]) -> bool:
    by_kind: dict[str, dict[str, Any]] = {one["kind"]: one for one in found}
    if set(by_kind) != {"audio", "video"}:
        return False
    heard: int = by_kind["audio"].get("totalSamplesReceived", 0) - by_kind["audio"].get("concealedSamples", 0)
    seen: int = by_kind["video"].get("framesDecoded", 0)
    return seen >= 30 and heard > 48_000


@pytest.mark.parametrize(("audio", "video"), list(zip(AUDIO, VIDEO, strict=True)))
@pytest.mark.parametrize("is_offerer", [True, False], ids=["they-offer", "we-offer"])
async def test_chromium_hears_and_sees_itself(make_end: MakeEnd, audio: str, video: str, is_offerer: bool) -> None:
    chromium = await make_end("chromium")
    assert isinstance(chromium, ChromiumEnd)
    echo = Echo()
    try:
        if is_offerer:
            await chromium.add_media(audio, video)
            await connect(chromium, echo)
        else:
            # Who answers sends what the offer has first.
            for kind, name in (("audio", audio), ("video", video)):
                capabilities = peerline.RTCRtpReceiver.getCapabilities(kind)
                codecs = capabilities.codecs if capabilities is not None else []
                wanted = [codec for codec in codecs if codec.mimeType.lower() in (f"{kind}/{name}", "video/rtx")]
                echo.connection.addTransceiver(kind).setCodecPreferences(wanted)
            await chromium.add_media(audio, video)
            await connect(echo, chromium)
        await until(is_playing, chromium, "inbound-rtp")
        assert echo.codecs == {audio, video}
        # It hears of its own stream through our reports.
        heard = await until(lambda found: len(found) == 2, chromium, "remote-inbound-rtp")
        assert all(one["packetsLost"] == 0 for one in heard)
        assert all(one["totalRoundTripTime"] <= one["roundTripTimeMeasurements"] for one in heard)
        reported = await until(lambda found: len(found) == 2, chromium, "remote-outbound-rtp")
        assert all(one["packetsSent"] > 0 for one in reported)
    finally:
        await echo.close()


@pytest.mark.parametrize("is_offerer", [True, False], ids=["they-offer", "we-offer"])
async def test_aiortc_hears_and_sees_us_and_we_hear_and_see_it(
    is_offerer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[tuple[int, list[int]]] = []

    def obey(feedback: bytes) -> tuple[int, list[int]]:
        limits.append(unpack_remb_fci(feedback))
        return limits[-1]

    monkeypatch.setattr(aiortc.rtcrtpsender, "unpack_remb_fci", obey)
    ours, theirs = PeerlineEnd(), AiortcEnd()
    seen: dict[str, int] = {"audio": 0, "video": 0}
    heard: dict[str, int] = {"audio": 0, "video": 0}
    tasks = []

    async def read_ours(track: Any) -> None:
        async for _ in track.frames():
            seen[track.kind] += 1

    async def read_theirs(track: Any) -> None:
        with contextlib.suppress(aiortc.mediastreams.MediaStreamError):
            while True:
                await track.recv()
                heard[track.kind] += 1

    ours.connection.ontrack = lambda event: tasks.append(asyncio.ensure_future(read_ours(event.track)))
    theirs.connection.on("track", lambda track: tasks.append(asyncio.ensure_future(read_theirs(track))))
    try:
        for track in (
            peerline.MediaStreamTrack("audio", source=Tone()),
            peerline.MediaStreamTrack("video", source=TestPattern(320, 240, 15)),
        ):
            ours.connection.addTrack(track, peerline.MediaStream([track]))
        theirs.connection.addTrack(aiortc.mediastreams.AudioStreamTrack())
        theirs.connection.addTrack(aiortc.mediastreams.VideoStreamTrack())
        await connect(*((theirs, ours) if is_offerer else (ours, theirs)))
        async with asyncio.timeout(PATIENCE_S):
            while min(*seen.values(), *heard.values(), 30 * len(limits)) < 30:  # noqa: ASYNC110  # they tell nobody
                await asyncio.sleep(0.1)
        # It knows no other feedback than the rate that its pictures may take.
        _, sources = limits[-1]
        assert len(sources) == 1
    finally:
        for task in tasks:
            task.cancel()
        await ours.close()
        await theirs.close()
