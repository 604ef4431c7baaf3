"""A picture of a video track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from peerline.errors import RangeError
from peerline.media.codecs.libraries import media_extra
from peerline.media.reformat import reformatted

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Format", "VideoFrame"]

Format = Literal["rgb24", "bgr24", "gray", "yuv420p"]


class VideoFrame:
    """Made by `from_ndarray`, `from_av` or `black`. Its pixels stay as they came until another format is asked for.

    It is not to be changed: encoders and viewers may share it.
    """

    __slots__ = ("_i420", "_picture", "rotation", "time_s")

    def __init__(self, picture: av.VideoFrame, *, time_s: float = 0.0, rotation: int = 0) -> None:
        if rotation not in (0, 90, 180, 270):
            raise RangeError(f"a picture is turned by 0, 90, 180 or 270 degrees, not {rotation}")
        self._picture = picture
        self._i420: av.VideoFrame | None = picture if picture.format.name == "yuv420p" else None
        self.time_s = time_s
        """Seconds from the beginning of the stream until it is to be shown."""
        self.rotation = rotation
        """Degrees clockwise by which a viewer has to turn it; the pixels are not turned."""

    @classmethod
    def from_ndarray(
        cls, array: NDArray[np.uint8], format: Format = "rgb24", *, time_s: float = 0.0, rotation: int = 0
    ) -> VideoFrame:
        """Of an array of uint8: (height, width, 3) for colours, (height, width) for gray, (height·3/2, width) for
        yuv420p. It is copied. Raises TypeError or RangeError if the shape does not fit the format.
        """
        _check(array, format)
        with media_extra():
            import av
        picture = av.VideoFrame.from_ndarray(array, format=format)
        return cls(picture, time_s=time_s, rotation=rotation)

    @classmethod
    def from_av(cls, picture: av.VideoFrame, *, time_s: float | None = None, rotation: int = 0) -> VideoFrame:
        """Around a frame of PyAV; its own time is taken unless another is given."""
        return cls(picture, time_s=(picture.time or 0.0) if time_s is None else time_s, rotation=rotation)

    @classmethod
    def black(cls, width: int, height: int, *, time_s: float = 0.0) -> VideoFrame:
        """A picture that shows nothing. Raises RangeError if it has no size."""
        if width <= 0 or height <= 0:
            raise RangeError(f"a picture needs a width and a height, not {width}x{height}")
        with media_extra():
            import av
        picture = av.VideoFrame(width, height, "yuv420p")
        for plane, value in zip(picture.planes, (16, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        return cls(picture, time_s=time_s)

    @property
    def width(self) -> int:
        """Pixels, before it is turned."""
        return self._picture.width

    @property
    def height(self) -> int:
        """Pixels, before it is turned."""
        return self._picture.height

    def to_ndarray(self, format: Format = "rgb24") -> NDArray[np.uint8]:
        """An array of uint8, shaped as `from_ndarray` takes it."""
        if format == "yuv420p":
            _check_even(self.width, self.height)
            return self._array(self.to_i420())
        return self._array(reformatted(self._picture, format=format))

    def to_av(self) -> av.VideoFrame:
        """The frame of PyAV, in whatever format it is."""
        return self._picture

    def to_i420(self) -> av.VideoFrame:
        """The same as three planes, Y, U and V (yuv420p): what encoders take. Converted once."""
        if self._i420 is None:
            self._i420 = reformatted(self._picture, format="yuv420p")
        return self._i420

    def scaled(self, width: int, height: int) -> VideoFrame:
        """The same picture in another size. Raises RangeError if it is none."""
        if width <= 0 or height <= 0:
            raise RangeError(f"a picture needs a width and a height, not {width}x{height}")
        if (width, height) == (self.width, self.height):
            return self
        picture = reformatted(self._picture, width=width, height=height, format="yuv420p", interpolation="AREA")
        return VideoFrame(picture, time_s=self.time_s, rotation=self.rotation)

    def __repr__(self) -> str:
        return f"<VideoFrame {self.width}x{self.height} at {self.time_s:.3f} s>"

    @staticmethod
    def _array(picture: av.VideoFrame) -> NDArray[np.uint8]:
        return cast("NDArray[np.uint8]", picture.to_ndarray())


def _check(array: NDArray[np.uint8], format: Format) -> None:
    has_colours = format in ("rgb24", "bgr24")
    if array.dtype.name != "uint8" or array.ndim != (3 if has_colours else 2) or (has_colours and array.shape[2] != 3):
        shape = "(height, width, 3)" if has_colours else "(height, width)"
        raise TypeError(f"{format} is uint8 of shape {shape}, not {array.dtype} of shape {array.shape}")
    if 0 in array.shape:
        raise RangeError("a picture needs a width and a height")
    if format == "yuv420p":
        _check_even(array.shape[1], array.shape[0] * 2 / 3)


def _check_even(width: int, height: float) -> None:
    if width % 2 or height % 2:
        raise RangeError(
            "an array in yuv420p holds pictures of even width and height", hint="take rgb24 for any other size"
        )
