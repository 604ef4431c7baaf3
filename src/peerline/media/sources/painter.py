"""Paints the pictures of a TestPattern: colour bars, moving parts, a clock and a counter."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from peerline.errors import RangeError
from peerline.media.codecs.libraries import media_extra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FLASH_S", "Painter"]

FLASH_S = 0.1

# Y, U, V of white, yellow, cyan, green, magenta, red and blue at 75 % (ITU-R BT.601).
BARS = (
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
)
BLACK, WHITE, GRAY = 16, 235, 128

# Three by five dots each, row by row.
DIGITS = {
    "0": "111101101101111",
    "1": "010110010010111",
    "2": "111001111100111",
    "3": "111001111001111",
    "4": "101101111001001",
    "5": "111100111001111",
    "6": "111100111101111",
    "7": "111001010010010",
    "8": "111101111101111",
    "9": "111101111001111",
    ".": "000000000000010",
    " ": "000000000000000",
}


class Painter:
    """Pictures of one size, as arrays in yuv420p: the same `index` gives the same picture.

    Raises RangeError for odd sizes, NotSupportedError without the extra `media`.
    """

    def __init__(self, width: int, height: int, frame_rate: float, *, seed: int = 0, is_noisy: bool = False) -> None:
        if width < 2 or height < 2 or width % 2 or height % 2:
            raise RangeError(f"a test pattern has an even width and height, not {width}x{height}")
        with media_extra():
            import numpy as np
        self.width = width
        self.height = height
        self._frame_rate = frame_rate
        self._seed = seed
        self._is_noisy = is_noisy
        self._background = np.full(height * width * 3 // 2, GRAY, np.uint8)
        luma, *chroma = self._planes(self._background)
        for plane, component in ((luma, 0), (chroma[0], 1), (chroma[1], 2)):
            colours = np.array([bar[component] for bar in BARS], np.uint8)
            plane[:] = colours[np.arange(plane.shape[1]) * len(BARS) // plane.shape[1]]
        self._ramp_top = height * 2 // 3
        for plane in chroma:
            plane[self._ramp_top // 2 :] = GRAY
        self._ramp = np.resize(np.linspace(BLACK, WHITE, width).astype(np.uint8), 2 * width)
        self._digit_size = max(1, width // 100)

    def paint(self, index: int) -> NDArray[np.uint8]:
        """An array of shape (height·3/2, width)."""
        picture = self._noise(index) if self._is_noisy else self._background.copy()
        luma, blue, red = self._planes(picture)
        if not self._is_noisy:
            shift = (index * 4 + self._seed) % self.width
            luma[self._ramp_top :] = self._ramp[shift : shift + self.width]
        self._paint_ball(index, luma, blue, red)
        self._paint_flash(index, luma, blue, red)
        self._write(f"{index / self._frame_rate:.2f} {index}", luma, blue, red)
        return picture.reshape(-1, self.width)

    def _planes(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
        width, height = self.width, self.height
        size = width * height
        shape = (height // 2, width // 2)
        return (
            picture[:size].reshape(height, width),
            picture[size : size * 5 // 4].reshape(shape),
            picture[size * 5 // 4 :].reshape(shape),
        )

    def _paint_ball(self, index: int, luma: NDArray[np.uint8], *chroma: NDArray[np.uint8]) -> None:
        """A square one, that bounces off the edges."""
        side = max(2, self.height // 6) & ~1
        x = _there_and_back(index * max(1, self.width // 120) + 31 * self._seed, self.width - side) & ~1
        y = _there_and_back(index * max(1, self.height // 90) + 17 * self._seed, self.height - side) & ~1
        luma[y : y + side, x : x + side] = WHITE
        luma[y + side // 4 : y + side * 3 // 4, x + side // 4 : x + side * 3 // 4] = BLACK
        for plane in chroma:
            plane[y // 2 : (y + side) // 2, x // 2 : (x + side) // 2] = GRAY

    def _paint_flash(self, index: int, luma: NDArray[np.uint8], *chroma: NDArray[np.uint8]) -> None:
        side = max(2, self.height // 8) & ~1
        is_lit = index % self._frame_rate < FLASH_S * self._frame_rate
        luma[:side, -side:] = WHITE if is_lit else BLACK
        for plane in chroma:
            plane[: side // 2, -side // 2 :] = GRAY

    def _write(self, text: str, luma: NDArray[np.uint8], *chroma: NDArray[np.uint8]) -> None:
        """At the top left, as far as there is room."""
        import numpy as np

        written = np.concatenate([_digit(letter, self._digit_size) for letter in text], axis=1)
        room = luma[: written.shape[0], : written.shape[1]]
        room[:] = written[: room.shape[0], : room.shape[1]]
        for plane in chroma:
            plane[: (room.shape[0] + 1) // 2, : (room.shape[1] + 1) // 2] = GRAY

    def _noise(self, index: int) -> NDArray[np.uint8]:
        """Half of it noise that is new each time, half of it the colour bars."""
        import numpy as np

        dice = np.random.default_rng((self._seed, index))
        words = dice.integers(0, 2**64 - 1, self._background.size // 8 + 1, np.uint64, endpoint=True)
        noise = words.view(np.uint8)[: self._background.size]
        picture: NDArray[np.uint8] = (self._background >> 1) + (noise >> 1)
        return picture


def _there_and_back(way: int, length: int) -> int:
    return abs((way + length) % (2 * length) - length) if length else 0


@cache
def _digit(letter: str, size: int) -> NDArray[np.uint8]:
    """White on black, with a border at the left, above and below; each dot `size` pixels wide and high."""
    import numpy as np

    dots = np.zeros((7, 4), np.uint8)
    dots[1:6, 1:] = np.array(list(DIGITS[letter]), np.uint8).reshape(5, 3)
    return (dots * (WHITE - BLACK) + BLACK).astype(np.uint8).repeat(size, axis=0).repeat(size, axis=1)
