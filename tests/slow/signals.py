"""A beep and a flash at the same moment, twice a second, which both say which one they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peerline.media import AudioFrame, VideoFrame
from peerline.media.sources import PacedSource
from peerline.media.sources.clock import ticks
from peerline.media.sources.painter import Painter
from peerline.media.sources.pump import Step, Steps

__all__ = ["PERIOD_S", "Beeps", "Flashes", "beep_in", "flash_in", "moving_pictures", "when_sent"]

PERIOD_S = 0.5
"""Signal `n` is sent at `n * PERIOD_S` on the clock of the sources."""
NUMBERS = 16
"""Signals have numbers modulo this: who is less than eight seconds late is told apart."""
LIT_S = 0.1

RATE = 48_000
FRAME = 960
FRAME_RATE = 30
WIDTH, HEIGHT = 640, 480
_BITS = 4
_MOVING = 60

# Far enough apart to be told from each other in less than 20 ms, low enough for any bitrate of Opus.
_FREQUENCIES = 600 + 150 * np.arange(NUMBERS)
_HUM_HZ, _HUM, _BEEP, _LOUD = 200, 200, 12_000, 3_000
# Of the power of a pure wave this much is found at its pitch; half of it is all.
_PURE = 0.4
_BLACK, _WHITE = 16, 235


class Beeps(PacedSource):
    """Each at a pitch of its own, over a quiet hum, so that there is always something to hear."""

    def __init__(self) -> None:
        super().__init__("beeps")

    def steps(self) -> Steps:
        """See PacedSource."""
        for index in ticks(RATE / FRAME):
            number, place = divmod(index, round(PERIOD_S * RATE / FRAME))
            is_lit = place < round(LIT_S * RATE / FRAME)
            samples = _tone(int(_FREQUENCIES[number % NUMBERS]) if is_lit else _HUM_HZ, place, is_lit)
            frame = AudioFrame(samples, RATE, index * FRAME)
            yield Step(frame.time_s, partial(self.deliver, frame))


class Flashes(PacedSource):
    """White pictures with the number in black blocks, among pictures that move."""

    def __init__(self) -> None:
        super().__init__("flashes")

    def steps(self) -> Steps:
        """See PacedSource."""
        moving, flashes = moving_pictures(), _flashes()
        for index in ticks(FRAME_RATE):
            number, place = divmod(index, round(PERIOD_S * FRAME_RATE))
            is_lit = place < round(LIT_S * FRAME_RATE)
            picture = flashes[number % NUMBERS] if is_lit else moving[index % _MOVING]
            frame = VideoFrame.from_av(picture, time_s=index / FRAME_RATE)
            yield Step(frame.time_s, partial(self.deliver, frame))


@dataclass(frozen=True, slots=True)
class Beep:
    """In a frame of sound: its number, and how many seconds after the frame's beginning it is."""

    number: int
    offset_s: float


def beep_in(frame: AudioFrame) -> Beep | None:
    """What is loud in it; None if nothing is, if it is too little to know the pitch, or was made up and has none."""
    samples = frame.samples[:, 0].astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > _LOUD)
    if not len(loud) or len(samples) - loud[0] < frame.rate // 100:
        return None
    tail = samples[loud[0] :]
    waves = np.exp(-2j * np.pi * np.outer(_FREQUENCIES, np.arange(len(tail))) / frame.rate)
    power = np.abs(waves @ tail) ** 2 / (len(tail) * (tail @ tail))
    return Beep(int(power.argmax()), float(loud[0]) / frame.rate) if power.max() > _PURE else None


def flash_in(frame: VideoFrame) -> int | None:
    """Its number; None if the picture is none."""
    picture = frame.to_i420()
    plane: Any = picture.planes[0]  # a buffer, which its type does not say
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: picture.height, : picture.width]
    if luma[: picture.height // 4 : 4, ::4].mean() < 200:
        return None
    places = ((np.arange(_BITS) + 0.5) * picture.width / _BITS).astype(int)
    return sum(int(luma[picture.height // 2, place] < 125) << bit for bit, place in enumerate(places))


def when_sent(number: int, at_s: float) -> float:
    """When the latest signal of that number was sent that can have come by then."""
    latest = int(at_s / PERIOD_S)
    return (latest - (latest - number) % NUMBERS) * PERIOD_S


@cache
def moving_pictures() -> list[Any]:
    """Two seconds of them."""
    painter = Painter(WIDTH, HEIGHT, FRAME_RATE)
    return [_picture(painter.paint(index)) for index in range(_MOVING)]


@cache
def _flashes() -> list[Any]:
    made = []
    for number in range(NUMBERS):
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        planes[:HEIGHT] = _WHITE
        for bit in range(_BITS):
            if number >> bit & 1:
                planes[HEIGHT // 4 : HEIGHT * 3 // 4, bit * WIDTH // _BITS : (bit + 1) * WIDTH // _BITS] = _BLACK
        made.append(_picture(planes))
    return made


def _picture(planes: NDArray[np.uint8]) -> Any:
    return VideoFrame.from_ndarray(planes, "yuv420p").to_av()


@cache
def _tone(frequency_hz: int, place: int, is_loud: bool) -> NDArray[np.int16]:
    at = np.arange(place * FRAME, (place + 1) * FRAME)
    wave: NDArray[np.int16] = (
        ((_BEEP if is_loud else _HUM) * np.sin(2 * np.pi * frequency_hz * at / RATE)).astype(np.int16).reshape(-1, 1)
    )
    return wave
