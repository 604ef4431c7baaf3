"""A picture that moves, so that people see that something comes, and programs how much."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from peerline.errors import RangeError
from peerline.media.sources.clock import ticks
from peerline.media.sources.paced import PacedSource
from peerline.media.sources.painter import Painter
from peerline.media.sources.pump import Step, Steps
from peerline.media.video_frame import VideoFrame

__all__ = ["TestPattern"]


class TestPattern(PacedSource):
    """Colour bars, a bouncing square, a clock in seconds and a counter of frames, a flash when a second is full.

    `is_noisy=True` gives pictures that fill whatever bitrate there is; another `seed` gives other ones. Raises
    RangeError for odd sizes and rates that are none, NotSupportedError without the extra `media`.
    """

    __test__ = False  # pytest takes whatever is called Test… for tests

    def __init__(
        self,
        width: int = 640,
        height: int = 480,
        frame_rate: float = 30,
        *,
        seed: int = 0,
        is_noisy: bool = False,
    ) -> None:
        if not 0 < frame_rate <= 1000:
            raise RangeError(f"pictures come at a rate of up to 1000 a second, not {frame_rate}")
        self._painter = Painter(width, height, frame_rate, seed=seed, is_noisy=is_noisy)
        self._frame_rate = frame_rate
        super().__init__("test pattern")

    def steps(self) -> Steps:
        """See PacedSource."""
        for time_s, frame in painted(self._painter, self._frame_rate):
            yield Step(time_s, partial(self.deliver, frame))


def painted(painter: Painter, frame_rate: float) -> Iterator[tuple[float, VideoFrame]]:
    """One picture after the other, each before the time at which it is to be shown."""
    for index in ticks(frame_rate):
        time_s = index / frame_rate
        yield time_s, VideoFrame.from_ndarray(painter.paint(index), "yuv420p", time_s=time_s)
