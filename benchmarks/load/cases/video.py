"""Pictures of 640x480 from glass to glass: how late they are, what they cost each end. The ends are two processes."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

from peerline.lab import BadPath
from peerline.media.video_frame import VideoFrame

from . import pictures
from .alone import vp8_codec
from .far import Far, serve
from .flow import Given, given, take
from .pair import accept, answer, close, connected, connection, offer, rerouted, total

__all__ = ["far", "frame_of", "video_480", "video_loss"]

SIZE = (640, 480)
# Until the bitrate is what it will be.
SETTLING_S = 8.0
# Pictures until an encoder spends what it is told to.
WARM = 30
LOSS, DELAY_S = 0.02, 0.025


async def video_480(implementation: str, seconds: float) -> dict[str, float]:
    """On a clean path; the codec alone gets the same pictures and the bitrate that the sender aimed at."""
    made = pictures.moving(*SIZE)
    eyes = await _Glass.begin("video480", implementation, made)
    found = await eyes.watch(seconds)
    target_bps = await _target_bps(eyes.pc)
    await eyes.close()
    alone = await _alone(implementation, made, target_bps, seconds, is_paced=False)
    paced = await _alone(implementation, made, target_bps, seconds, is_paced=True)
    return {
        **found,
        "target_kbps": target_bps / 1000,
        "send_codec_cores": alone[0],
        "send_ratio": found["send_cores"] / alone[0],
        "send_ratio_paced": found["send_cores"] / paced[0],
        "receive_codec_cores": alone[1],
        "receive_ratio": found["receive_cores"] / alone[1],
        "receive_ratio_paced": found["receive_cores"] / paced[1],
    }


async def video_loss(implementation: str, seconds: float) -> dict[str, float]:
    """A round trip of 50 ms, and each packet is lost with the same probability."""
    with BadPath() as path:
        path.shape(delay_s=DELAY_S)
        eyes = await _Glass.begin("video-loss", implementation, pictures.moving(*SIZE), path)
        path.shape(loss=LOSS, delay_s=DELAY_S)
        await asyncio.sleep(SETTLING_S)
        found = await eyes.watch(seconds)
        await eyes.close()
    return found


class _Glass:
    """One who shows pictures; the far end looks at them."""

    def __init__(self, pc: Any, shown: Given, other: Far) -> None:
        self.pc = pc
        self._shown = shown
        self._other = other

    @classmethod
    async def begin(cls, case: str, implementation: str, made: Sequence[Any], path: BadPath | None = None) -> _Glass:
        """Connect, show, and let it settle."""
        other, pc = await Far.start(case, implementation), connection(implementation)
        shown = given(implementation, "video", pictures.FRAME_RATE, lambda index: frame_of(implementation, made, index))
        pc.addTrack(shown.track)
        answered = await other.ask("answer", rerouted(await offer(pc), path, 1))
        await accept(pc, rerouted(answered, path, 0))
        await connected(pc)
        shown.begin()
        await asyncio.sleep(SETTLING_S)
        return cls(pc, shown, other)

    async def watch(self, seconds: float) -> dict[str, float]:
        """What the far end saw meanwhile, and what it cost."""
        far_begin = await self._other.ask("figures")
        cpu, begin, first = time.process_time(), time.monotonic(), len(self._shown.times)
        await asyncio.sleep(seconds)
        sending, count = time.process_time() - cpu, len(self._shown.times) - first
        far_end = await self._other.ask("figures")
        lasted = time.monotonic() - begin
        seen: list[tuple[int | None, float]] = (await self._other.ask("seen"))[far_begin["frames"] : far_end["frames"]]
        late = sorted(self._delay(*one) for one in seen)
        return {
            "glass_to_glass_ms": 1000 * statistics.median(late),
            "glass_to_glass_p95_ms": 1000 * late[int(0.95 * len(late))],
            "share_seen": len(seen) / count,
            "kbps": (far_end["bytes"] - far_begin["bytes"]) * 8 / lasted / 1000,
            "send_cores": sending / lasted,
            "receive_cores": (far_end["cpu"] - far_begin["cpu"]) / lasted,
        }

    async def close(self) -> None:
        """Both ends."""
        await close(self.pc)
        await self._other.close()

    def _delay(self, number: int | None, at: float) -> float:
        """Since the last picture with this number was given."""
        times = self._shown.times
        if number is None:
            return math.inf
        given_at = (times[index] for index in range(len(times) - 1, -1, -1) if index % pictures.COUNT == number)
        return next((at - one for one in given_at if one <= at), math.inf)


async def far(implementation: str) -> None:
    """The one who looks."""
    seen: list[tuple[int | None, float]] = []
    pc = connection(implementation)

    def see(frame: Any) -> None:
        at = time.monotonic()
        seen.append((pictures.number(frame.to_av() if isinstance(frame, VideoFrame) else frame), at))

    async def figures() -> dict[str, float]:
        received = await total(pc, "transport", "bytesReceived")
        return {"frames": len(seen), "cpu": time.process_time(), "bytes": received}

    take(pc, see)
    await serve({"answer": lambda offered: answer(pc, offered), "figures": figures, "seen": lambda: seen})


def frame_of(implementation: str, made: Sequence[Any], index: int) -> Any:
    """The picture at its time, as the implementation takes it."""
    picture = made[index % len(made)]
    if implementation == "aiortc":
        return pictures.stamped(picture, index)
    return VideoFrame(picture, time_s=index / pictures.FRAME_RATE)


async def _alone(
    implementation: str, made: Sequence[Any], target_bps: float, seconds: float, *, is_paced: bool
) -> tuple[float, float]:
    """CPU seconds a second that the codec takes: encoding, decoding. Paced it finds cold caches, as in a call."""
    encode, decode = vp8_codec(implementation, target_bps)
    times = Given(pictures.FRAME_RATE, lambda index: index)
    spent = [0.0, 0.0]
    for index in range(WARM + int(seconds * pictures.FRAME_RATE)):
        if is_paced:
            await times.next()
        begin = time.process_time()
        coded = encode(made[index % len(made)], index)
        between = time.process_time()
        decode(coded)
        if index >= WARM:
            spent[0] += between - begin
            spent[1] += time.process_time() - between
    return spent[0] / seconds, spent[1] / seconds


async def _target_bps(pc: Any) -> float:
    told = await total(pc, "outbound-rtp", "targetBitrate")
    # One implementation tells in no other way.
    return told or pc.getSenders()[0]._RTCRtpSender__encoder.target_bitrate
