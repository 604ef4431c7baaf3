"""Pictures: arrays in a format of one's own choice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from peerline.errors import InvalidStateError
from peerline.media.reader import FrameReader
from peerline.media.source import Source
from peerline.media.track import MediaStreamTrack
from peerline.media.video_frame import VideoFrame
from peerline.peer.backlog import Backlog, Latest
from peerline.peer.port import Port

if TYPE_CHECKING:
    from peerline.media.sink import Frame
    from peerline.media.video_frame import Format

__all__ = ["VideoOutput", "VideoPort", "VideoStream"]

_FRAME_MS = 1000 / 30


class VideoPort(Port):
    """The pictures of a connection."""

    kind = "video"

    def receive(self, *, format: Format = "rgb24", backlog: Backlog = Latest) -> VideoStream:
        """What the other side shows: `async for picture in peer.video.receive(format="rgb24")`.

        Arrays of uint8 as `VideoFrame.to_ndarray` gives them. Not read in time, older ones are dropped: by default all
        but the latest.
        """
        return VideoStream(self.remote, format, backlog.frames(_FRAME_MS))

    def output(self) -> VideoOutput:
        """Something to show pictures with: `out = peer.video.output()`, `await out.write(array)`."""
        made = VideoOutput()
        self._send(made.track)
        return made


class VideoStream(FrameReader[Any]):
    """An async iterator of arrays; `close` ends it. Pictures are converted off the event loop."""

    def __init__(self, track: MediaStreamTrack, format: Format, max_frames: int) -> None:
        self._format: Format = format
        super().__init__(track, is_encoded=False, max_frames=max_frames)

    def receive(self, frame: Frame) -> None:
        """See Sink."""
        if isinstance(frame, VideoFrame):
            self._put(frame.to_ndarray(self._format))


class VideoOutput:
    """Made by `peer.video.output()`. `track` is what is sent."""

    def __init__(self) -> None:
        self._source = Source("program")
        self.track = MediaStreamTrack("video", source=self._source)
        self._origin = time.perf_counter()
        self._is_closed = False

    async def write(self, picture: Any, format: Format = "rgb24") -> None:
        """Show this now: an array of uint8, or a VideoFrame. Encoding is done off the event loop; what there is no time
        for is left out. Raises InvalidStateError after `close`, TypeError or RangeError for what is no picture.
        """
        if self._is_closed:
            raise InvalidStateError("this output is closed")
        time_s = time.perf_counter() - self._origin
        if isinstance(picture, VideoFrame):
            frame = VideoFrame(picture.to_av(), time_s=time_s, rotation=picture.rotation)
        else:
            frame = VideoFrame.from_ndarray(picture, format, time_s=time_s)
        self._source.deliver(frame)

    def close(self) -> None:
        """Show no more, and end the track. Twice is fine."""
        self._is_closed = True
        self.track.stop()
