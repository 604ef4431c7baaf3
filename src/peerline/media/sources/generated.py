"""Pictures and sound that a function of the program gives, one array after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from peerline.errors import RangeError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.libraries import media_extra
from peerline.media.sources.clock import ticks
from peerline.media.sources.paced import PacedSource
from peerline.media.sources.pump import Step, Steps
from peerline.media.video_frame import Format, VideoFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GeneratedAudio", "GeneratedVideo"]


class GeneratedVideo(PacedSource):
    """`GeneratedVideo(draw, 30)`: `draw()` gives the next picture as VideoFrame.from_ndarray takes it, None at the end.

    It is called on a thread, up to `frame_rate` times a second while somebody takes the pictures; who is slow gets
    fewer. What is no picture, and what it raises, ends the track and is reported to the event loop's exception handler.
    Raises RangeError for a rate that is none, NotSupportedError without the extra `media`.
    """

    def __init__(
        self, next_picture: Callable[[], NDArray[Any] | None], frame_rate: float = 30, *, format: Format = "rgb24"
    ) -> None:
        if not 0 < frame_rate <= 1000:
            raise RangeError(f"pictures come at a rate of up to 1000 a second, not {frame_rate}")
        with media_extra():
            import av  # noqa: F401  # said here, not when the first picture is due
        self._next = _until_the_end(next_picture)
        self._frame_rate = frame_rate
        self._format: Format = format
        super().__init__("generated video")

    def steps(self) -> Steps:
        """See PacedSource."""
        for index in ticks(self._frame_rate):
            array = self._next()
            if array is None:
                return
            _check_is_array(array)
            time_s = index / self._frame_rate
            frame = VideoFrame.from_ndarray(array, self._format, time_s=time_s)
            yield Step(time_s, partial(self.deliver, frame))


class GeneratedAudio(PacedSource):
    """`GeneratedAudio(sing, rate=48000, frame_ms=20)`: `sing()` gives the next `frame_ms` of sound, None at the end.

    An array of int16, or of floats from -1 to 1, of shape (count,) or (count, channels). It is called on a thread,
    while somebody takes the sound; a little earlier than the sound is due. What is no such array, and what it raises,
    ends the track and is reported to the event loop's exception handler. Raises RangeError for a rate or length that is
    none, NotSupportedError without the extra `media`.
    """

    def __init__(self, next_sound: Callable[[], NDArray[Any] | None], rate: int = 48000, frame_ms: float = 20) -> None:
        self._count = frame_size(rate, frame_ms)
        self._rate = rate
        with media_extra():
            import numpy  # noqa: F401  # said here, not when the first sound is due
        self._next = _until_the_end(next_sound)
        super().__init__("generated audio")

    def steps(self) -> Steps:
        """See PacedSource."""
        for index in ticks(self._rate / self._count):
            array = self._next()
            if array is None:
                return
            samples = _as_samples(array)
            if len(samples) != self._count:
                raise RangeError(f"{self._count} samples were expected, {len(samples)} came")
            frame = AudioFrame(samples, self._rate, index * self._count)
            yield Step(frame.time_s, partial(self.deliver, frame))


def frame_size(rate: int, frame_ms: float) -> int:
    """Samples in a frame of that length. Raises RangeError if that is no whole number of them."""
    count = rate * frame_ms / 1000
    if rate <= 0 or count < 1 or abs(count - round(count)) > 1e-6:
        raise RangeError(f"{frame_ms} ms at {rate} Hz are no whole number of samples")
    return round(count)


def _until_the_end(function: Callable[[], NDArray[Any] | None]) -> Callable[[], NDArray[Any] | None]:
    """The `__next__` of an iterator is such a function, too."""

    def ask() -> NDArray[Any] | None:
        try:
            return function()
        except StopIteration:
            return None

    return ask


def _check_is_array(array: Any) -> None:
    if not (hasattr(array, "dtype") and hasattr(array, "ndim")):
        raise TypeError(f"an array of numpy was expected, {type(array).__name__} came")


def _as_samples(array: Any) -> Any:
    _check_is_array(array)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.dtype.kind == "f":
        import numpy as np

        if not np.isfinite(array).all():
            raise RangeError("samples are finite numbers")
        array = (array.clip(-1, 1) * 32767).round().astype(np.int16)
    return array
