"""What a track gives while it is not enabled: black pictures, silence (Media Capture and Streams, section 4.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peerline.media.audio_frame import AudioFrame
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.video_frame import VideoFrame

if TYPE_CHECKING:
    from peerline.media.sink import Frame

__all__ = ["silenced"]


def silenced(frame: Frame) -> Frame | None:
    """The same length of silence, or a black picture of the same size; None for what is encoded: it is left out."""
    if isinstance(frame, EncodedFrame):
        return None
    if isinstance(frame, AudioFrame):
        return AudioFrame.silence(frame.count, rate=frame.rate, channels=frame.channels, timestamp=frame.timestamp)
    return VideoFrame.black(frame.width, frame.height, time_s=frame.time_s)
