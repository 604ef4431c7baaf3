"""What is sent of a track that is not encoded: frames go through an encoder, off the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from peerline.media.audio_frame import AudioFrame
from peerline.media.work import Work

if TYPE_CHECKING:
    from peerline.media.encoded_frame import EncodedFrame

__all__ = ["Encoding", "SoundEncoding"]

_log = logging.getLogger("peerline.media")

Raw = TypeVar("Raw")


class Encoding(ABC, Generic[Raw]):
    """One stream. `deliver` is called with what comes out, on a worker's thread or that of the source."""

    max_waiting: ClassVar[int]
    """What waits for the encoder; older frames give way."""
    least_bps: ClassVar[int]

    def __init__(self, codec: str, deliver: Callable[[EncodedFrame], None], bitrate_bps: int) -> None:
        self.codec = codec
        self.dropped = 0
        self.failed = 0
        self._deliver = deliver
        self._encoder: Any = None
        self._is_broken = False
        self.set_bitrate(bitrate_bps)
        self._told_bps = self._bitrate_bps
        self._work: Work[Raw] = Work(self._encode, self.max_waiting)

    def push(self, frame: Raw) -> None:
        """The next picture or piece of sound, from any thread."""
        # Nothing is encoded where an event loop runs.
        at_once = getattr(self._encoder, "is_brief", False) and asyncio._get_running_loop() is None
        self.dropped += self._work.push(frame, at_once=at_once)

    def set_bitrate(self, bitrate_bps: int) -> None:
        """From now on; without the headers of packets."""
        self._bitrate_bps = max(bitrate_bps, self.least_bps)

    @property
    def bitrate_bps(self) -> int:
        """What the encoder aims at."""
        return self._bitrate_bps

    def request_key_frame(self) -> None:
        """The next frame stands alone; of sound each does."""

    def close(self) -> None:
        """Nothing comes out any more."""
        self._work.close()
        self._work.push_last(self._close_encoder)

    @abstractmethod
    def _settings(self) -> Any:
        """For a new encoder."""

    def _prepared(self, frame: Raw) -> Raw | None:
        """As it is given to the encoder; None leaves it out."""
        return frame

    def _tell(self, encoder: Any) -> None:
        """What the encoder is to know before the next frame."""

    def _made(self, frame: Raw, found: list[EncodedFrame], took_s: float) -> list[EncodedFrame]:
        """What the encoder has made of it, as it is sent."""
        return found

    def _encode(self, frame: Raw) -> None:
        ready = None if self._is_broken else self._prepared(frame)
        if ready is None:
            return
        if self._encoder is None:
            self._encoder = self._new_encoder()
        encoder = self._encoder
        if encoder is None:
            return
        if self._told_bps != self._bitrate_bps:
            self._told_bps = self._bitrate_bps
            encoder.set_bitrate(self._told_bps)
        self._tell(encoder)
        begun = time.perf_counter()
        try:
            found = encoder.encode(ready)
        except Exception as error:
            self.failed += 1
            _log.warning("a frame could not be encoded as %s: %s", self.codec, error)
            return
        for one in self._made(ready, found, time.perf_counter() - begun):
            self._deliver(one)

    def _new_encoder(self) -> Any:
        from peerline.media.codecs import encoder_for

        self._told_bps = self._bitrate_bps
        try:
            return encoder_for(self.codec, self._settings())
        except Exception as error:
            self._is_broken = True
            _log.warning("frames cannot be encoded as %s: %s", self.codec, error)
            return None

    def _close_encoder(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None


class SoundEncoding(Encoding[AudioFrame]):
    """Of sound, which is worth a wait."""

    max_waiting = 25
    least_bps = 6_000

    expected_loss = 0.0
    """The share of packets that do not arrive, 0 to 1: frames tell of the ones before them then."""
    _told_loss = 0.0

    def _settings(self) -> Any:
        from peerline.media.codecs import AudioSettings

        self._told_loss = self.expected_loss
        return AudioSettings(bitrate_bps=self._bitrate_bps, expected_loss=self._told_loss)

    def _tell(self, encoder: Any) -> None:
        if self._told_loss != self.expected_loss:
            self._told_loss = self.expected_loss
            encoder.set_expected_loss(self._told_loss)
