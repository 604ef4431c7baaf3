"""What a codec has to offer: whoever has these methods can be registered (see registry.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from peerline.media.audio_frame import AudioFrame
    from peerline.media.encoded_frame import EncodedFrame
    from peerline.media.video_frame import VideoFrame

__all__ = ["AudioDecoder", "AudioEncoder", "VideoDecoder", "VideoEncoder"]

# None of them is thread-safe: calls to one object come one after the other, from any thread.


class AudioEncoder(Protocol):
    """Sound in, frames out. One with a true `is_brief` takes less time than waking another thread: it gets none."""

    def encode(self, frame: AudioFrame) -> list[EncodedFrame]:
        """Takes any rate, channels and length; gives the frames that are full now, none to many."""

    def set_bitrate(self, bitrate_bps: int) -> None:
        """From the next frame on; clamped to what the codec can do, and ignored by those that have but one."""

    def set_expected_loss(self, share: float) -> None:
        """The share of packets that the network loses, 0 to 1; ignored by those that do nothing about it."""

    def close(self) -> None:
        """Give memory back; once more is fine. Encoding afterwards raises InvalidStateError."""


class AudioDecoder(Protocol):
    """Frames in, sound out. `is_brief` as above; a true `has_recovered` says that what was lost last is known."""

    def decode(self, encoded: EncodedFrame) -> list[AudioFrame]:
        """Its sound, and before it a stand-in for each frame of `lost_before`: whoever has concealed them clears that.

        Raises EncodingError if the data is malformed; the next frame may be fine.
        """

    def conceal(self, sample_count: int) -> AudioFrame:
        """Sound in place of a lost frame, of so many samples a channel."""

    def close(self) -> None:
        """Give memory back; once more is fine. Decoding afterwards raises InvalidStateError."""


class VideoEncoder(Protocol):
    """Pictures in, frames out."""

    def encode(self, frame: VideoFrame) -> list[EncodedFrame]:
        """One frame, or none if the bitrate has no room for it. Another size begins with a key frame.

        The pixels are not turned by `rotation`: it is passed on, for RTP to tell.
        """

    def set_bitrate(self, bitrate_bps: int) -> None:
        """As soon as the codec can; clamped to what it can do."""

    def request_key_frame(self) -> None:
        """The next picture becomes a key frame."""

    def close(self) -> None:
        """Give memory back; once more is fine. Encoding afterwards raises InvalidStateError."""


class VideoDecoder(Protocol):
    """Frames in, pictures out."""

    @property
    def needs_key_frame(self) -> bool:
        """Whether nothing comes out until a key frame comes in: at the beginning, after a loss, after an error."""

    def decode(self, encoded: EncodedFrame) -> list[VideoFrame]:
        """Its picture; none while a key frame is needed. A loss before a delta frame means that one is needed: whoever
        knows that nothing refers to what was lost clears `lost_before`.

        Raises EncodingError if the data is malformed; decoding goes on with the next key frame.
        """

    def close(self) -> None:
        """Give memory back; once more is fine. Decoding afterwards raises InvalidStateError."""
