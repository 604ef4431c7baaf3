"""What a stream of Opus costs to send and to receive, ten of them in one process, and what the codec alone takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from . import sounds
from .alone import opus_codec
from .far import Far, serve
from .flow import Given, given, take
from .pair import accept, answer, close, connected, connection, offer

__all__ = ["far", "opus"]

STREAMS = 10
FRAMES_A_SECOND = sounds.RATE / sounds.FRAME
SETTLING_S = 2.0


async def opus(implementation: str, seconds: float) -> dict[str, float]:
    """Milliseconds of CPU for a stream and second; a connection a stream. Ratios are to the codec alone, in a loop and
    paced, that of sending without the clock that gives frames.
    """
    clock = await _paced(implementation, seconds, sounds.voice(implementation))
    encoding, decoding = _alone(implementation, seconds)
    encode, decode = _paced_codec(implementation)
    encoding_paced = await _paced(implementation, seconds, encode) - clock
    decoding_paced = await _paced(implementation, seconds, decode) - clock
    other = await Far.start("opus", implementation)
    mouths: list[Given] = []
    connections: list[Any] = []
    for _ in range(STREAMS):
        pc = connection(implementation)
        mouths.append(_mouth(implementation))
        pc.addTrack(mouths[-1].track)
        await accept(pc, await other.ask("answer", await offer(pc)))
        await connected(pc)
        mouths[-1].begin()
        connections.append(pc)
    await asyncio.sleep(SETTLING_S)
    frames, far_cpu = await other.ask("figures")
    cpu, begin, spoken = time.process_time(), time.monotonic(), sum(len(one.times) for one in mouths)
    await asyncio.sleep(seconds)
    sending, spoken = time.process_time() - cpu, sum(len(one.times) for one in mouths) - spoken
    frames_now, far_cpu_now = await other.ask("figures")
    stream_seconds = STREAMS * (time.monotonic() - begin)
    await close(*connections)
    await other.close()
    send_s, receive_s = sending / stream_seconds, (far_cpu_now - far_cpu) / stream_seconds
    return {
        "send_ms": 1000 * send_s,
        "send_clock_ms": 1000 * clock,
        "send_codec_ms": 1000 * encoding,
        "send_ratio": (send_s - clock) / encoding,
        "send_ratio_paced": (send_s - clock) / encoding_paced,
        "receive_ms": 1000 * receive_s,
        "receive_codec_ms": 1000 * decoding,
        "receive_ratio": receive_s / decoding,
        "receive_ratio_paced": receive_s / decoding_paced,
        "share_received": (frames_now - frames) / spoken,
    }


async def far(implementation: str) -> None:
    """The one who hears it all."""
    connections: list[Any] = []
    frames = 0

    def heard(frame: Any) -> None:
        nonlocal frames
        frames += 1

    async def answered(offered: dict[str, str]) -> dict[str, str]:
        pc = connection(implementation)
        connections.append(pc)
        take(pc, heard)
        return await answer(pc, offered)

    await serve({"answer": answered, "figures": lambda: (frames, time.process_time())})


def _mouth(implementation: str) -> Given:
    return given(implementation, "audio", FRAMES_A_SECOND, sounds.voice(implementation))


def _alone(implementation: str, seconds: float) -> tuple[float, float]:
    """CPU seconds for a stream and second of the codec: encoding, decoding. The streams take turns."""
    make = sounds.voice(implementation)
    codecs = [opus_codec(implementation) for _ in range(STREAMS)]
    frames = [make(index) for index in range(int(seconds * FRAMES_A_SECOND))]
    begin = time.process_time()
    coded = [[encode(frame, index) for encode, _ in codecs] for index, frame in enumerate(frames)]
    between = time.process_time()
    for turn in coded:
        for (_, decode), one in zip(codecs, turn, strict=True):
            decode(one)
    end = time.process_time()
    return (between - begin) / STREAMS / seconds, (end - between) / STREAMS / seconds


def _paced_codec(implementation: str) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
    """Encode a frame, decode one, by its number. Streams share them here: they have no other caches for that."""
    make, (encode, decode) = sounds.voice(implementation), opus_codec(implementation)
    coded = [encode(make(index), index) for index in range(int(FRAMES_A_SECOND))]
    return lambda index: encode(make(index), index), lambda index: decode(coded[index % len(coded)])


async def _paced(implementation: str, seconds: float, make: Callable[[int], Any]) -> float:
    """CPU seconds for a stream and second that making frames in time takes, with nobody who takes them."""
    mouths = [given(implementation, "audio", FRAMES_A_SECOND, make) for _ in range(STREAMS)]

    async def speak(mouth: Given, after_s: float) -> None:
        # As in a call no two are at the same time.
        await asyncio.sleep(after_s)
        while True:
            await mouth.next()

    running = [asyncio.ensure_future(speak(one, index / STREAMS / 50)) for index, one in enumerate(mouths)]
    begin = time.process_time()
    await asyncio.sleep(seconds)
    cpu = time.process_time() - begin
    for task in running:
        task.cancel()
    return cpu / STREAMS / seconds
