"""What is sent of a track that is not encoded: frames go through an encoder off the event loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from peerline.media.meter import PictureMeter
from peerline.media.quality_scaler import QualityScaler
from peerline.media.work import Work

if TYPE_CHECKING:
    from peerline.media.encoded_frame import EncodedFrame
    from peerline.media.sink import Frame

__all__ = ["Encoding"]

_log = logging.getLogger("peerline.media")

# Pictures that the encoder has no time for are left out; sound is worth a wait.
MAX_WAITING = {"audio": 25, "video": 2}
DEFAULT_BITRATE_BPS = {"audio": 32_000, "video": 1_000_000}
# Below this an encoder gives nothing that is worth looking at.
MIN_VIDEO_BPS = 50_000


class Encoding:
    """One stream. `deliver` is called with what comes out, on a worker's thread."""

    def __init__(self, kind: Literal["audio", "video"], codec: str, deliver: Callable[[EncodedFrame], None]) -> None:
        self.codec = codec
        self.dropped = 0
        self.pictures = PictureMeter()
        self.target_bytes = 0.0
        self.failed = 0
        self.scale_down_by = 1.0
        self.max_frame_rate: float | None = None
        self._kind = kind
        self._deliver = deliver
        self._encoder: Any = None
        self._bitrate_bps = DEFAULT_BITRATE_BPS[kind]
        self._set_bps = self._bitrate_bps
        self._is_key_wanted = False
        self._is_broken = False
        self._last_time_s: float | None = None
        self._scaler = QualityScaler()
        self._given_size = (0, 0)
        self._work: Work[Frame] = Work(self._encode, MAX_WAITING[kind])

    def push(self, frame: Frame) -> None:
        """The next picture or piece of sound, from any thread."""
        self.dropped += self._work.push(frame)

    def set_bitrate(self, bitrate_bps: int) -> None:
        """From now on; without the headers of packets."""
        if self._kind == "video":
            bitrate_bps = max(bitrate_bps, MIN_VIDEO_BPS)
        self._bitrate_bps = bitrate_bps

    @property
    def bitrate_bps(self) -> int:
        """What the encoder aims at."""
        return self._bitrate_bps

    @property
    def size_changes(self) -> int:
        """How often pictures were made smaller, or larger again, for the bitrate's sake."""
        return self._scaler.changes

    @property
    def is_scaled(self) -> bool:
        """Whether they are smaller than they came, for the bitrate's sake."""
        return self._scaler.scale_down_by > 1.0

    def request_key_frame(self) -> None:
        """The next picture stands alone."""
        self._is_key_wanted = True

    def close(self) -> None:
        """Nothing comes out any more."""
        self._work.close()
        self._work.push_last(self._close_encoder)

    def _encode(self, frame: Frame) -> None:
        if self._is_broken or (self._kind == "video" and self._is_too_soon(frame.time_s)):  # type: ignore[union-attr]
            return
        encoder = self._encoder
        if encoder is None:
            encoder = self._encoder = self._make()
            if encoder is None:
                return
        if self._set_bps != self._bitrate_bps:
            self._set_bps = self._bitrate_bps
            encoder.set_bitrate(self._set_bps)
        if self._kind == "video":
            frame = self._scaled(frame)
            if self._is_key_wanted:
                self._is_key_wanted = False
                encoder.request_key_frame()
        begun = time.perf_counter()
        try:
            found = encoder.encode(frame)
        except Exception as error:
            self.failed += 1
            _log.warning("%s could not be encoded as %s: %s", self._kind, self.codec, error)
            return
        rotation = getattr(frame, "rotation", 0)
        self.pictures.time_s += time.perf_counter() - begun
        if self._kind == "video":
            made = sum(len(one.data) for one in found) if found else None
            self._scaler.saw(frame.time_s, made, self._bitrate_bps)  # type: ignore[union-attr]
        for one in found:
            self.pictures.saw(frame if self._kind == "video" else None)  # type: ignore[arg-type]
            self.pictures.key_frames += one.is_key
            self.target_bytes += self._bitrate_bps / 8 / 30
            self._deliver(replace(one, rotation=rotation) if rotation else one)

    def _make(self) -> Any:
        from peerline.media.codecs import AudioSettings, VideoSettings, encoder_for

        self._set_bps = self._bitrate_bps
        settings = AudioSettings if self._kind == "audio" else VideoSettings
        try:
            return encoder_for(self.codec, settings(bitrate_bps=self._bitrate_bps))
        except Exception as error:
            self._is_broken = True
            _log.warning("frames cannot be encoded as %s: %s", self.codec, error)
            return None

    def _is_too_soon(self, time_s: float) -> bool:
        limit, last = self.max_frame_rate, self._last_time_s
        if limit is not None and last is not None and 0 <= time_s - last < 0.9 / limit:
            return True
        self._last_time_s = time_s
        return False

    def _scaled(self, frame: Any) -> Any:
        if (frame.width, frame.height) != self._given_size:
            self._given_size = (frame.width, frame.height)
            self._scaler.begin(int(frame.width * frame.height / self.scale_down_by**2), self._bitrate_bps)
        down = self.scale_down_by * self._scaler.scale_down_by
        if down > 1.0:
            width, height = max(1, int(frame.width / down)), max(1, int(frame.height / down))
            if self._scaler.scale_down_by > 1.0:
                # Sizes that every codec takes.
                width, height = max(16, width // 2 * 2), max(16, height // 2 * 2)
            frame = frame.scaled(width, height)
        return frame

    def _close_encoder(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None
