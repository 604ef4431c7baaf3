"""What the head of a file says of a stream of pictures (size, parameter sets), as FFmpeg finds it in a key frame."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from peerline.errors import EncodingError
from peerline.media.codecs.libraries import media_extra

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from peerline.media.encoded_frame import EncodedFrame

__all__ = ["PictureStream"]

CLOCK_RATE = 90000
_FOUR_CC = {"vp8": b"VP80", "vp9": b"VP90", "av1": b"AV01"}
_TEMPORAL_DELIMITER = b"\x12\x00"


class PictureStream:
    """Of a key frame of VP8, VP9, AV1 or H.264. Raises EncodingError if it holds no picture."""

    def __init__(self, frame: EncodedFrame) -> None:
        with media_extra():
            import av
        is_ivf = frame.codec in _FOUR_CC
        file = io.BytesIO(_ivf(frame) if is_ivf else frame.data)
        try:
            self._file: InputContainer = av.open(file, "r", format="ivf" if is_ivf else frame.codec)
            self.stream: VideoStream = self._file.streams.video[0]
            size = (self.stream.width, self.stream.height)
        except (av.FFmpegError, IndexError) as error:
            raise EncodingError(f"a key frame of {frame.codec} cannot be read: {error}") from error
        if 0 in size:
            self._file.close()
            raise EncodingError(f"a key frame of {frame.codec} has no size")

    def close(self) -> None:
        """Give memory back; `stream` is gone then."""
        self._file.close()


def _ivf(frame: EncodedFrame) -> bytes:
    """A file of one frame, in the simplest format there is: a head of 32 bytes, then length, time and data."""
    data = frame.data
    if frame.codec == "av1" and not data.startswith(_TEMPORAL_DELIMITER):
        data = _TEMPORAL_DELIMITER + data
    head = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, _FOUR_CC[frame.codec], 0, 0, CLOCK_RATE, 1, 1, 0)
    return head + struct.pack("<IQ", len(data), 0) + data
