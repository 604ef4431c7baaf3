"""The encoding of pictures: key frames on demand, fewer or smaller pictures where that is asked for or needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from peerline.media.encoding import Encoding
from peerline.media.meter import PictureMeter
from peerline.media.quality_scaler import QualityScaler
from peerline.media.video_frame import VideoFrame

if TYPE_CHECKING:
    from peerline.media.encoded_frame import EncodedFrame

__all__ = ["PictureEncoding"]

# Pictures that are a little early are not left out.
_EARLY = 0.9
# A pause between pictures promises no encoder more than this, in seconds.
_LONGEST_GAP_S = 1.0


class PictureEncoding(Encoding[VideoFrame]):
    """Of pictures: those that the encoder has no time for are left out."""

    max_waiting = 2
    # Below this an encoder gives nothing that is worth looking at.
    least_bps = 50_000

    def __init__(self, codec: str, deliver: Callable[[EncodedFrame], None], bitrate_bps: int) -> None:
        self.meter = PictureMeter()
        self.target_bytes = 0.0
        """What the pictures would have taken at the bitrate that was aimed at."""
        self.scale_down_by = 1.0
        self.max_frame_rate: float | None = None
        self._is_key_wanted = False
        self._last_time_s: float | None = None
        self._scaler = QualityScaler()
        self._given_size = (0, 0)
        super().__init__(codec, deliver, bitrate_bps)

    @property
    def size_changes(self) -> int:
        """How often pictures were made smaller, or larger again, for the bitrate's sake."""
        return self._scaler.changes

    @property
    def is_scaled(self) -> bool:
        """Whether they are smaller than they came, for the bitrate's sake."""
        return self._scaler.scale_down_by > 1.0

    def request_key_frame(self) -> None:
        """See Encoding."""
        self._is_key_wanted = True

    def _settings(self) -> Any:
        from peerline.media.codecs import VideoSettings

        return VideoSettings(bitrate_bps=self._bitrate_bps)

    def _prepared(self, frame: VideoFrame) -> VideoFrame | None:
        limit, last_s = self.max_frame_rate, self._last_time_s
        gap_s = frame.time_s - last_s if last_s is not None else 0.0
        if limit is not None and last_s is not None and 0 <= gap_s < _EARLY / limit:
            return None
        self._last_time_s = frame.time_s
        self.target_bytes += self._bitrate_bps / 8 * min(max(gap_s, 0.0), _LONGEST_GAP_S)
        return self._scaled(frame)

    def _tell(self, encoder: Any) -> None:
        if self._is_key_wanted:
            self._is_key_wanted = False
            encoder.request_key_frame()

    def _made(self, frame: VideoFrame, found: list[EncodedFrame], took_s: float) -> list[EncodedFrame]:
        self.meter.time_s += took_s
        size = sum(len(one.data) for one in found) if found else None
        self._scaler.saw(frame.time_s, size, self._bitrate_bps)
        for one in found:
            self.meter.saw(frame)
            self.meter.key_frames += one.is_key
        return [replace(one, rotation=frame.rotation) for one in found] if frame.rotation else found

    def _scaled(self, frame: VideoFrame) -> VideoFrame:
        if (frame.width, frame.height) != self._given_size:
            self._given_size = (frame.width, frame.height)
            self._scaler.begin(int(frame.width * frame.height / self.scale_down_by**2), self._bitrate_bps)
        down = self.scale_down_by * self._scaler.scale_down_by
        if down <= 1.0:
            return frame
        width, height = max(1, int(frame.width / down)), max(1, int(frame.height / down))
        if self.is_scaled:
            # Sizes that every codec takes.
            width, height = max(16, width // 2 * 2), max(16, height // 2 * 2)
        return frame.scaled(width, height)
