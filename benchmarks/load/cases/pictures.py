"""Pictures that move and say which they are, in black and white blocks that survive any encoder."""

from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

__all__ = ["COUNT", "FRAME_RATE", "moving", "number", "stamped"]

FRAME_RATE = 30
# Seven bits: who is less than four seconds late is told apart.
COUNT = 128
_BITS = 7

Plane = NDArray[np.uint8]


def moving(width: int, height: int, count: int = COUNT, noise: float = 3) -> list[av.VideoFrame]:
    """Waves and a card that move round in `count` pictures, as much noise, and the number of the picture."""
    y, x = np.mgrid[0:height, 0:width]
    made = []
    for index in range(count):
        luma = _moved(x, y, index * 2 * math.pi / count)
        luma += np.random.default_rng(index).normal(0, noise, luma.shape)
        made.append(_numbered(np.clip(luma, 16, 235).astype(np.uint8), index))
    return made


def stamped(picture: av.VideoFrame, index: int) -> av.VideoFrame:
    """The same picture at the time of its place in the stream."""
    # One implementation leaves a mark on those that it was to make a key frame of.
    picture.pict_type = PictureType.NONE
    picture.pts, picture.time_base = index * 90_000 // FRAME_RATE, Fraction(1, 90_000)
    return picture


def number(picture: av.VideoFrame) -> int | None:
    """What it says, 0 to COUNT - 1, in whatever size it came; None if that cannot be read."""
    plane = picture.planes[0]
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    side = picture.width / 20
    places = ((np.arange(2 * _BITS) + 0.5) * side).astype(int)
    bits = luma[int(side / 2), places] > 125
    if not (bits[:_BITS] ^ bits[_BITS:]).all():
        return None
    return int(np.packbits(bits[:_BITS])[0]) >> 1


def _moved(x: NDArray[np.int64], y: NDArray[np.int64], turn: float) -> NDArray[np.float64]:
    height, width = x.shape
    waves = 60 * np.sin(x / 37 + 8 * turn) * np.cos(y / 23) + 40 * np.cos((x - y) / 51 + 5 * turn)
    luma: NDArray[np.float64] = 128 + waves
    across = int(width * (0.5 + 0.3 * math.sin(4 * turn)))
    luma[height // 3 : height // 2, across - width // 10 : across + width // 10] = 220
    return luma


def _numbered(luma: Plane, index: int) -> av.VideoFrame:
    """Each bit, then each bit the other way round."""
    side = luma.shape[1] // 20
    bits = [index >> place & 1 for place in reversed(range(_BITS))]
    for place, bit in enumerate([*bits, *(1 - bit for bit in bits)]):
        luma[:side, place * side : (place + 1) * side] = 235 if bit else 16
    return _picture(luma)


def _picture(luma: Plane) -> av.VideoFrame:
    colours = np.full((luma.shape[0] // 2, luma.shape[1]), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.concatenate((luma, colours)), format="yuv420p")
