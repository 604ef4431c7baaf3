"""What a remote track shows to those who want it decoded: frames go through a decoder off the event loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from peerline.media.meter import PictureMeter, SoundMeter
from peerline.media.work import Work

if TYPE_CHECKING:
    from peerline.media.encoded_frame import EncodedFrame
    from peerline.media.sink import Frame

__all__ = ["Decoding"]

_log = logging.getLogger("peerline.media")

# What waits for the decoder: longer, and it would be late anyway.
MAX_WAITING = {"audio": 50, "video": 30}


class Decoding:
    """One stream. `deliver` is called with what comes out, on a worker's thread; `need_key_frame` when the decoder
    cannot go on without one."""

    def __init__(self, kind: str, deliver: Callable[[Frame], None], need_key_frame: Callable[[], None]) -> None:
        self.dropped = 0
        self.pictures = PictureMeter()
        self.sound = SoundMeter()
        self.codec = ""
        self.failed = 0
        self._kind = kind
        self._deliver = deliver
        self._need_key_frame = need_key_frame
        self._decoders: dict[str, Any] = {}
        self._is_broken = False
        self._work: Work[EncodedFrame] = Work(self._decode, MAX_WAITING[kind])

    def push(self, frame: EncodedFrame) -> None:
        """The next frame, from any thread."""
        dropped = self._work.push(frame)
        if dropped:
            self.dropped += dropped
            if self._kind == "video":
                self._need_key_frame()

    def close(self) -> None:
        """Nothing comes out any more."""
        self._work.close()
        self._work.push_last(self._close_decoders)

    def _decode(self, frame: EncodedFrame) -> None:
        if self._is_broken:
            return
        decoder = self._decoders.get(frame.codec)
        if decoder is None:
            decoder = self._make(frame.codec)
            if decoder is None:
                return
        if self._kind == "video" and frame.lost_before and not frame.is_key:
            # The packet core gives frames only where those that they refer to were given.
            frame = replace(frame, lost_before=0)
        begun = time.perf_counter()
        try:
            found = decoder.decode(frame)
        except Exception as error:
            self.failed += 1
            _log.debug("a frame of %s could not be decoded: %s", frame.codec, error)
            if self._kind == "video":
                self._need_key_frame()
            return
        if self._kind == "video" and not found and getattr(decoder, "needs_key_frame", False):
            self._need_key_frame()
        self.codec = frame.codec
        self._count(frame, found, time.perf_counter() - begun)
        for one in found:
            self._deliver(one)

    def _count(self, frame: EncodedFrame, found: list[Any], took_s: float) -> None:
        if self._kind == "video":
            self.pictures.time_s += took_s
            self.pictures.key_frames += frame.is_key and bool(found)
            for one in found:
                self.pictures.saw(one)
            return
        for one in found:
            self.sound.heard(one)
        if frame.lost_before and len(found) > 1:
            self.sound.concealed += sum(one.count for one in found[:-1])
            self.sound.concealments += 1

    def _make(self, codec: str) -> Any:
        from peerline.media.codecs import decoder_for

        try:
            made = decoder_for(codec)
        except Exception as error:
            self._is_broken = True
            _log.warning("frames of %s cannot be decoded: %s", codec, error)
            return None
        self._decoders[codec] = made
        return made

    def _close_decoders(self) -> None:
        for decoder in self._decoders.values():
            decoder.close()
        self._decoders.clear()
