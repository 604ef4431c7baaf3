"""A sink that throws away what it gets, and counts it: keeps a source going, says whether anything comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peerline.media.encoded_frame import EncodedFrame

if TYPE_CHECKING:
    from peerline.media.sink import Frame

__all__ = ["NullSink"]


class NullSink:
    """`track.attach_sink(NullSink())`. With `is_decoded` its frames are decoded before they are thrown away."""

    def __init__(self, *, is_decoded: bool = False) -> None:
        self.frames = 0
        """How many came."""
        self.key_frames = 0
        """How many of them were encoded and stood alone; so does all sound."""
        self.lost = 0
        """How many encoded ones were known to be missing."""
        self.bytes = 0
        """Of what came encoded."""
        self.is_ended = False
        """Whether the track has ended."""
        self._is_decoded = is_decoded

    def takes(self, codec: str) -> bool:
        """See Sink."""
        return not self._is_decoded

    def receive(self, frame: Frame) -> None:
        """See Sink."""
        self.frames += 1
        if isinstance(frame, EncodedFrame):
            self.key_frames += frame.is_key
            self.lost += frame.lost_before
            self.bytes += len(frame.data)

    def end(self) -> None:
        """The track has ended."""
        self.is_ended = True
