"""What really flows, by getStats (W3C WebRTC Statistics) on the page's live peer connections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from e2e.waiting import until

_READ = """async () => {
  const pc = window.__peerline.peerConnections.at(-1);
  if (!pc) return null;
  const stats = [...(await pc.getStats()).values()];
  const of = (type, kind) => stats.find((one) => one.type === type && one.kind === kind);
  const flow = (one) => ({
    bytes: one?.bytesReceived ?? one?.bytesSent ?? 0,
    packets: one?.packetsReceived ?? one?.packetsSent ?? 0,
    frames: one?.framesDecoded ?? one?.framesEncoded ?? 0,
    energy: one?.totalAudioEnergy ?? 0,
    sound_s: one?.totalSamplesDuration ?? 0,
    width: one?.frameWidth ?? 0,
  });
  const transport = stats.find((one) => one.type === "transport");
  const byId = new Map(stats.map((one) => [one.id, one]));
  const pair = byId.get(transport?.selectedCandidatePairId);
  return {
    at_s: performance.now() / 1000,
    audio_in: flow(of("inbound-rtp", "audio")),
    video_in: flow(of("inbound-rtp", "video")),
    audio_out: flow(of("outbound-rtp", "audio")),
    video_out: flow(of("outbound-rtp", "video")),
    pair: pair ? [byId.get(pair.localCandidateId)?.candidateType, byId.get(pair.remoteCandidateId)?.candidateType] : [],
    encrypted: transport?.dtlsState === "connected",
  };
}"""


@dataclass(frozen=True)
class Flow:
    """One kind of media in one direction, counted from the beginning of the call."""

    bytes: int = 0
    packets: int = 0
    frames: int = 0
    energy: float = 0.0
    sound_s: float = 0.0
    width: int = 0


@dataclass(frozen=True)
class Sample:
    """All flows of a page at one moment."""

    at_s: float = 0.0
    audio_in: Flow = Flow()
    video_in: Flow = Flow()
    audio_out: Flow = Flow()
    video_out: Flow = Flow()
    pair: tuple[str, ...] = ()
    encrypted: bool = False


async def sample(page: Page) -> Sample:
    """What the page's newest peer connection has sent and received so far; nothing, if there is none."""
    read: dict[str, Any] | None = await page.evaluate(_READ)
    if read is None:
        return Sample()
    flows = {key: Flow(**value) for key, value in read.items() if isinstance(value, dict)}
    return Sample(read["at_s"], **flows, pair=tuple(read["pair"]), encrypted=read["encrypted"])


async def expect_sound(page: Page, within_s: float = 15.0) -> None:
    """From now on more audio comes in, and it is not silence: the fake microphone beeps once a second."""
    first = await sample(page)

    def has_grown(now: Sample) -> bool:
        a, b = first.audio_in, now.audio_in
        return b.packets >= a.packets + 20 and b.bytes > a.bytes and b.energy > a.energy

    await until("sound that comes in", lambda: sample(page), has_grown, within_s)


async def expect_picture(page: Page, within_s: float = 15.0) -> None:
    """From now on more video frames come in and are decoded."""
    first = await sample(page)

    def has_grown(now: Sample) -> bool:
        a, b = first.video_in, now.video_in
        return b.frames >= a.frames + 5 and b.bytes > a.bytes and b.width > 0

    await until("a picture that comes in", lambda: sample(page), has_grown, within_s)


async def expect_media(*pages: Page, within_s: float = 15.0) -> None:
    """Sound and picture come in on each of these pages, encrypted."""
    await asyncio.gather(*(act(page, within_s) for page in pages for act in (expect_sound, expect_picture)))
    for page in pages:
        assert (await sample(page)).encrypted


async def expect_silence(page: Page, within_s: float = 15.0) -> None:
    """For two seconds of received sound nothing is heard, though packets still come."""
    window = [await sample(page)]

    def is_silent(now: Sample) -> bool:
        start = window[0].audio_in
        if now.audio_in.energy > start.energy + 1e-6:
            window[0] = now  # heard something: begin anew
            return False
        return now.audio_in.sound_s >= start.sound_s + 2 and now.audio_in.packets > start.packets

    await until("silence", lambda: sample(page), is_silent, within_s)


async def expect_no_picture(page: Page, within_s: float = 15.0) -> None:
    """No new frame comes while two seconds of sound do."""
    window = [await sample(page)]

    def is_still(now: Sample) -> bool:
        start = window[0]
        if now.video_in.frames != start.video_in.frames:
            window[0] = now
            return False
        return now.audio_in.packets >= start.audio_in.packets + 100

    await until("a picture that stands still", lambda: sample(page), is_still, within_s)


def kilobits_per_s(kind: str, first: Sample, last: Sample) -> float:
    """The rate of `audio_in`, `video_in`, … between two samples."""
    a: Flow = getattr(first, kind)
    b: Flow = getattr(last, kind)
    return (b.bytes - a.bytes) * 8 / 1000 / (last.at_s - first.at_s)


async def measure(page: Page, seconds: float = 2.0) -> tuple[Sample, Sample]:
    """Two samples, at least so many seconds apart."""
    first = await sample(page)
    last = await until("time to pass", lambda: sample(page), lambda now: now.at_s >= first.at_s + seconds)
    return first, last
