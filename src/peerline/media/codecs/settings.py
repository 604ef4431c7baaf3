"""How an encoder is to work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from peerline.errors import RangeError

__all__ = ["AudioSettings", "VideoSettings"]


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """Of sound. What a codec has no choice in (G.711 has none at all) is ignored. Raises RangeError if impossible."""

    bitrate_bps: int = 32_000
    """Bits a second, without the headers of packets."""
    channels: int = 1
    frame_ms: int = 20
    """Milliseconds in one frame: 10, 20, 40 or 60."""
    application: Literal["voip", "audio", "lowdelay"] = "voip"
    """What is tuned for: speech, music, or least delay."""
    has_fec: bool = True
    """Whether packets carry their forerunner once more, coarsely (RFC 6716, section 2.1.7)."""
    expected_loss: float = 0.0
    """The share of packets that the network is thought to lose, 0 to 1; the more, the more is spent on `has_fec`."""
    has_dtx: bool = False
    """Whether next to nothing is sent in silence."""

    def __post_init__(self) -> None:
        if self.channels not in (1, 2):
            raise RangeError(f"sound is encoded in 1 or 2 channels, not {self.channels}")
        if self.frame_ms not in (10, 20, 40, 60):
            raise RangeError(f"a frame of sound lasts 10, 20, 40 or 60 ms, not {self.frame_ms}")
        if self.bitrate_bps <= 0 or not 0 <= self.expected_loss <= 1:
            raise RangeError("a bitrate is greater than 0, an expected loss between 0 and 1")


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """Of pictures; their size is that of the frames. Raises RangeError if impossible."""

    bitrate_bps: int = 1_000_000
    """Bits a second, without the headers of packets."""
    frame_rate: float = 30.0
    """About how many pictures a second will come."""
    threads: int = 2
    """How many threads may encode one picture; up to 640x480 it is one."""

    def __post_init__(self) -> None:
        if self.bitrate_bps <= 0 or self.frame_rate <= 0 or self.threads <= 0:
            raise RangeError("bitrate, frame rate and threads are greater than 0")
