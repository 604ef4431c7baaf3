"""Who takes what a track gives: senders, readers, recorders, loudspeakers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from peerline.media.encoded_frame import EncodedFrame

if TYPE_CHECKING:
    from peerline.media.audio_frame import AudioFrame
    from peerline.media.video_frame import VideoFrame

__all__ = ["Frame", "Sink"]

Frame: TypeAlias = "AudioFrame | VideoFrame | EncodedFrame"


class Sink(Protocol):
    """Attached to a track by `track.attach_sink`. Frames come in their order, on any thread, one at a time.

    Two more methods are called where they are there: `receive_all(frames)` in place of several calls of `receive`, and
    `end()` when the track has ended.
    """

    def takes(self, codec: str) -> bool:
        """Whether frames of this codec are taken as they are, without being decoded."""

    def receive(self, frame: Frame) -> None:
        """The next frame. It must not wait: who needs time puts the frame somewhere, and drops the oldest ones.

        `lost_before` of an encoded frame says that some are missing before it.
        """
