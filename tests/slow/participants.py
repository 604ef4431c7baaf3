"""Who takes part in a call: sends sound and pictures, receives the other's, and says what has come of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

import aiortc

import peerline
from interop.chromium_end import ChromiumEnd
from interop.python_end import AiortcEnd, PeerlineEnd
from peerline.media.sources.clock import now_s
from slow.participant import Participant, Pictures, Sample
from slow.signals import Beeps, Flashes, beep_in, flash_in, moving_pictures, when_sent

__all__ = ["AiortcParticipant", "ChromiumParticipant", "PeerlineParticipant"]


class PeerlineParticipant(Participant):
    """Ours. `beeps` and `flashes`: when a signal came, by when it was sent; those of Beeps and Flashes only.

    With `buffer_ms` sound and pictures wait that long, as `jitterBufferTarget` has it.
    """

    name = "peerline"

    def __init__(self, *, buffer_ms: float | None = None) -> None:
        self.end = self._end = PeerlineEnd()
        self.beeps: dict[float, float] = {}
        self.flashes: dict[float, float] = {}
        self._buffer_ms = buffer_ms
        self._pictures = Pictures()
        self._tasks: list[asyncio.Task[None]] = []
        self._tracks: list[peerline.MediaStreamTrack] = []

    async def add_media(self) -> None:
        """See Participant."""
        connection = self._end.connection
        connection.ontrack = self._take
        self._tracks = [
            peerline.MediaStreamTrack("audio", source=Beeps()),
            peerline.MediaStreamTrack("video", source=Flashes()),
        ]
        stream = peerline.MediaStream(self._tracks)
        for track in self._tracks:
            connection.addTrack(track, stream)

    async def sample(self) -> Sample:
        """See Participant."""
        report = await self._end.connection.getStats()
        sounds = [one for one in report.values() if one.type == "inbound-rtp" and one["kind"] == "audio"]
        sound: Mapping[str, Any] = sounds[0] if sounds else {}
        heard = sound.get("totalSamplesReceived", 0) - sound.get("concealedSamples", 0)
        buffered = sound.get("jitterBufferDelay", 0.0), sound.get("jitterBufferEmittedCount", 0)
        pictures = self._pictures
        return Sample(time.monotonic(), pictures.count, heard / 48_000, buffered, pictures.freezes, pictures.frozen_s)

    async def close(self) -> None:
        """See Participant."""
        for track in self._tracks:
            track.stop()
        await super().close()
        await asyncio.gather(*self._tasks)

    def _take(self, event: Any) -> None:
        event.receiver.jitterBufferTarget = self._buffer_ms
        take = self._listen if event.track.kind == "audio" else self._look
        self._tasks.append(asyncio.ensure_future(take(event.track)))

    async def _listen(self, track: peerline.MediaStreamTrack) -> None:
        async for frame in track.frames():
            beep = beep_in(frame)
            if beep is not None:
                at = now_s() + beep.offset_s
                self.beeps.setdefault(when_sent(beep.number, at), at)

    async def _look(self, track: peerline.MediaStreamTrack) -> None:
        async for frame in track.frames():
            self._pictures.came()
            number = flash_in(frame)
            if number is not None:
                self.flashes.setdefault(when_sent(number, now_s()), now_s())


class ChromiumParticipant(Participant):
    """Its camera and microphone are not real, but it encodes and plays as ever."""

    name = "chromium"

    def __init__(self, end: ChromiumEnd) -> None:
        self.end = self._end = end

    async def add_media(self) -> None:
        """See Participant."""
        await self._end.add_media("opus", "vp8")

    async def sample(self) -> Sample:
        """See Participant."""
        found = {one["kind"]: one for one in await self._end.stats("inbound-rtp")}
        sound, pictures = found.get("audio", {}), found.get("video", {})
        heard = sound.get("totalSamplesReceived", 0) - sound.get("concealedSamples", 0)
        return Sample(
            time.monotonic(),
            pictures.get("framesDecoded", 0),
            heard / 48_000,
            (sound.get("jitterBufferDelay", 0.0), sound.get("jitterBufferEmittedCount", 0)),
            pictures.get("freezeCount", 0),
            pictures.get("totalFreezesDuration", 0.0),
        )


class AiortcParticipant(Participant):
    """It counts what it is given; sound that is missing is neither made up nor told of."""

    name = "aiortc"

    def __init__(self) -> None:
        self.end = self._end = AiortcEnd()
        self._pictures = Pictures()
        self._heard_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._tracks: list[Any] = []

    async def add_media(self) -> None:
        """See Participant."""
        self._tracks = [aiortc.mediastreams.AudioStreamTrack(), Moving()]
        self._end.connection.on("track", lambda track: self._tasks.append(asyncio.ensure_future(self._take(track))))
        for track in self._tracks:
            self._end.connection.addTrack(track)

    async def sample(self) -> Sample:
        """See Participant."""
        pictures = self._pictures
        return Sample(time.monotonic(), pictures.count, self._heard_s, (0.0, 0), pictures.freezes, pictures.frozen_s)

    async def close(self) -> None:
        """See Participant."""
        for track in self._tracks:
            track.stop()
        await super().close()
        await asyncio.gather(*self._tasks)

    async def _take(self, track: Any) -> None:
        with contextlib.suppress(aiortc.mediastreams.MediaStreamError):
            while True:
                frame = await track.recv()
                if track.kind == "audio":
                    self._heard_s += frame.samples / frame.sample_rate
                else:
                    self._pictures.came()


class Moving(aiortc.mediastreams.VideoStreamTrack):
    """A camera of aiortc's."""

    def __init__(self) -> None:
        super().__init__()
        self._index = 0

    async def recv(self) -> Any:
        pts, time_base = await self.next_timestamp()
        pictures = moving_pictures()
        picture = pictures[self._index % len(pictures)]
        self._index += 1
        picture.pts, picture.time_base = pts, time_base
        return picture
