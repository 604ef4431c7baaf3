"""Pictures of a device that PyAV reads: a camera, a screen."""

from __future__ import annotations

from collections.abc import Iterator

from peerline.media.sources.clock import now_s
from peerline.media.sources.opening import open_input, readable
from peerline.media.video_frame import VideoFrame

__all__ = ["AvPictures"]


class AvPictures:
    """Captures from the beginning. Raises NotFoundError, NotAllowedError or NotReadableError, also in the middle."""

    def __init__(self, address: str, format: str, options: dict[str, str], what: str) -> None:
        self._what = what
        self._container = open_input(address, format=format, options=options, what=what)
        context = self._container.streams.video[0].codec_context
        self.width: int = context.width
        """Pixels."""
        self.height: int = context.height
        """Pixels."""

    def __iter__(self) -> Iterator[tuple[float, VideoFrame]]:
        """Each as soon as it is there."""
        with readable(self._what):
            for picture in self._container.decode(video=0):
                # Not the time of the device: all sources share one clock.
                time_s = now_s()
                yield time_s, VideoFrame.from_av(picture, time_s=time_s)

    def close(self) -> None:
        """Give the device back. Twice is fine."""
        self._container.close()
