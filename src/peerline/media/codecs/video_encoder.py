"""What all encoders of pictures do: open at the first size and at each new one, time, key frames, bitrate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from peerline.errors import EncodingError, InvalidStateError
from peerline.media.codecs.settings import VideoSettings
from peerline.media.encoded_frame import EncodedFrame

if TYPE_CHECKING:
    import av

    from peerline.media.video_frame import VideoFrame

__all__ = ["BaseVideoEncoder"]

CLOCK_RATE = 90000


class BaseVideoEncoder(ABC):
    """A subclass opens, encodes and closes; a VideoEncoder (codec.py) is what comes out."""

    codec: ClassVar[str]

    def __init__(self, settings: VideoSettings) -> None:
        self._settings = settings
        self._bitrate_bps = settings.bitrate_bps
        self._size: tuple[int, int] | None = None
        self._wants_key = True
        self._usual_ticks = max(1, round(CLOCK_RATE / settings.frame_rate))
        self._opened_ticks = 0
        self._last_ticks: int | None = None
        self._shift = 0
        self._is_closed = False

    def encode(self, frame: VideoFrame) -> list[EncodedFrame]:
        """One frame, or none if the bitrate has no room for it."""
        if self._is_closed:
            raise InvalidStateError(f"this encoder of {self.codec} is closed")
        ticks = self._ticks(frame)
        size = (frame.width, frame.height)
        is_new = size != self._size or self._must_reopen(ticks)
        if is_new:
            self._reopen(*size, ticks)
        try:
            encoded = self._encode(frame.to_i420(), ticks, is_key=is_new or self._wants_key)
        except EncodingError:
            self._size = None  # begin anew with the next one
            raise
        if is_new or any(is_key for _, is_key in encoded):
            self._wants_key = False
        rotation = frame.rotation
        return [EncodedFrame(data, ticks, self.codec, is_key, rotation=rotation) for data, is_key in encoded]

    def set_bitrate(self, bitrate_bps: int) -> None:
        """As soon as the codec can."""
        self._bitrate_bps = max(1000, bitrate_bps)
        if self._size is not None:
            self._follow_bitrate()

    def request_key_frame(self) -> None:
        """The next picture becomes a key frame."""
        self._wants_key = True

    def close(self) -> None:
        """Give memory back; once more is fine."""
        self._is_closed = True
        self._size = None
        self._release()

    def _reopen(self, width: int, height: int, ticks: int) -> None:
        self._release()
        self._size = None
        # Threads wait for each other by spinning: on a busy machine that costs more than they are worth for little.
        self._open(width, height, 1 if width * height <= 640 * 480 else self._settings.threads)
        self._size, self._opened_ticks = (width, height), ticks

    def _ticks(self, frame: VideoFrame) -> int:
        """Its time. Where a source begins again, or tells no times, it goes on at the usual frame rate."""
        ticks = round(frame.time_s * CLOCK_RATE) + self._shift
        if self._last_ticks is not None and ticks <= self._last_ticks:
            following = self._last_ticks + self._usual_ticks
            self._shift += following - ticks
            ticks = following
        self._last_ticks = ticks
        return ticks

    def _must_reopen(self, ticks: int) -> bool:
        """Whether only opening anew brings what has been asked for."""
        return False

    def _follow_bitrate(self) -> None:  # noqa: B027 (some cannot while they are open)
        """Tell the open encoder."""

    @abstractmethod
    def _open(self, width: int, height: int, threads: int) -> None: ...

    @abstractmethod
    def _encode(self, picture: av.VideoFrame, ticks: int, *, is_key: bool) -> list[tuple[bytes, bool]]: ...

    @abstractmethod
    def _release(self) -> None: ...
