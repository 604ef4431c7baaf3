"""Pictures of the size and rate that a track is set to (Media Capture and Streams, section 4.3.1.1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from peerline.media.reformat import reformatted
from peerline.media.video_frame import VideoFrame

if TYPE_CHECKING:
    import av

    from peerline.media.settings import MediaTrackSettings

__all__ = ["Fitter", "fitted"]


class Fitter:
    """For one track: leaves out what comes too often, crops and scales the rest."""

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._slot = -1

    def fit(self, frame: VideoFrame, settings: MediaTrackSettings, rate_of_device: float) -> VideoFrame | None:
        """The picture that the track gives for this one, if any."""
        rate = settings.get("frameRate")
        if rate is not None and rate < rate_of_device:
            if self._start_s is None:
                self._start_s = frame.time_s
            # One picture for each slot of time; devices are not that punctual.
            slot = math.floor((frame.time_s - self._start_s + 0.25 / rate_of_device) * rate)
            if slot == self._slot:
                return None
            self._slot = slot
        return fitted(frame, settings.get("width", frame.width), settings.get("height", frame.height))


def fitted(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """Of that size: what does not fit its shape is cut off at both sides, the rest is scaled."""
    if (frame.width, frame.height) == (width, height):
        return frame
    scale = min(frame.width / width, frame.height / height)
    picture = _middle(frame, round(width * scale), round(height * scale))
    if (picture.width, picture.height) != (width, height):
        picture = reformatted(picture, width=width, height=height)
    return VideoFrame(picture, time_s=frame.time_s, rotation=frame.rotation)


def _middle(frame: VideoFrame, width: int, height: int) -> av.VideoFrame:
    """As much of the middle, to an even number of pixels: colours come in pairs."""
    picture = frame.to_i420()
    left, top = (frame.width - width) // 2 & ~1, (frame.height - height) // 2 & ~1
    if not left and not top:
        return picture
    from av import VideoFrame as Picture

    width, height = frame.width - 2 * left, frame.height - 2 * top
    middle = Picture(width, height, "yuv420p")
    for index, (whole, part) in enumerate(zip(picture.planes, middle.planes, strict=True)):
        shift = 1 if index else 0
        y, x = top >> shift, left >> shift
        _pixels(part)[:] = _pixels(whole)[y : y + part.height, x : x + part.width]
    return middle


def _pixels(plane: Any) -> Any:
    """The plane as an array that can be written to, without the padding of its lines."""
    import numpy as np

    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
