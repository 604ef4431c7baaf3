"""What a remote track shows to those who want it decoded: frames go through a decoder off the event loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace

from peerline.media.meter import PictureMeter, SoundMeter
from peerline.media.work import Work

if TYPE_CHECKING:
    from peerline.media.encoded_frame import EncodedFrame
    from peerline.media.sink import Frame

__all__ = ["Decoding", "PictureDecoding", "SoundDecoding"]

_log = logging.getLogger("peerline.media")


class Decoding:
    """One stream. `deliver` is called with what comes out, on a worker's thread or that which pushes."""

    max_waiting: ClassVar[int]
    """What waits for the decoder: longer, and it would be late anyway."""

    def __init__(self, deliver: Callable[[Frame], None]) -> None:
        self.dropped = 0
        self.failed = 0
        self._deliver = deliver
        self._decoders: dict[str, Any] = {}
        self._is_broken = False
        self._work: Work[EncodedFrame] = Work(self._decode, self.max_waiting)

    def push(self, frame: EncodedFrame) -> None:
        """The next frame, from any thread."""
        is_brief = getattr(self._decoders.get(frame.codec), "is_brief", False)
        dropped = self._work.push(frame, at_once=is_brief)
        if dropped:
            self.dropped += dropped
            self._lost_something()

    def close(self) -> None:
        """Nothing comes out any more."""
        self._work.close()
        self._work.push_last(self._close_decoders)

    def _prepared(self, frame: EncodedFrame) -> EncodedFrame:
        """As it is given to the decoder."""
        return frame

    def _made(self, frame: EncodedFrame, decoder: Any, found: list[Any], took_s: float) -> None:
        """What the decoder has made of it."""

    def _lost_something(self) -> None:
        """A frame was left out, or could not be decoded."""

    def _decode(self, frame: EncodedFrame) -> None:
        if self._is_broken:
            return
        decoder = self._decoders.get(frame.codec) or self._new_decoder(frame.codec)
        if decoder is None:
            return
        begun = time.perf_counter()
        try:
            found = decoder.decode(self._prepared(frame))
        except Exception as error:
            self.failed += 1
            _log.debug("a frame of %s could not be decoded: %s", frame.codec, error)
            self._lost_something()
            return
        self._made(frame, decoder, found, time.perf_counter() - begun)
        for one in found:
            self._deliver(one)

    def _new_decoder(self, codec: str) -> Any:
        from peerline.media.codecs import decoder_for

        try:
            made = self._decoders[codec] = decoder_for(codec)
        except Exception as error:
            self._is_broken = True
            _log.warning("frames of %s cannot be decoded: %s", codec, error)
            return None
        return made

    def _close_decoders(self) -> None:
        for decoder in self._decoders.values():
            decoder.close()
        self._decoders.clear()


class SoundDecoding(Decoding):
    """Of sound: what is missing is made up."""

    max_waiting = 50

    def __init__(self, deliver: Callable[[Frame], None]) -> None:
        super().__init__(deliver)
        self.meter = SoundMeter()

    def _made(self, frame: EncodedFrame, decoder: Any, found: list[Any], took_s: float) -> None:
        for one in found:
            self.meter.heard(one)
        # What the frame itself told of the one before it is not made up.
        made_up = found[: -2 if getattr(decoder, "has_recovered", False) else -1] if frame.lost_before else []
        if made_up:
            self.meter.concealed += sum(one.count for one in made_up)
            self.meter.concealments += 1


class PictureDecoding(Decoding):
    """Of pictures: `need_key_frame` is called when it cannot go on without one."""

    max_waiting = 30

    def __init__(self, deliver: Callable[[Frame], None], need_key_frame: Callable[[], None]) -> None:
        super().__init__(deliver)
        self.meter = PictureMeter()
        self._need_key_frame = need_key_frame

    def _prepared(self, frame: EncodedFrame) -> EncodedFrame:
        # The packet core gives frames only where those that they refer to were given.
        return replace(frame, lost_before=0) if frame.lost_before else frame

    def _lost_something(self) -> None:
        self._need_key_frame()

    def _made(self, frame: EncodedFrame, decoder: Any, found: list[Any], took_s: float) -> None:
        if not found and decoder.needs_key_frame:
            self._need_key_frame()
        self.meter.time_s += took_s
        self.meter.key_frames += frame.is_key and bool(found)
        for one in found:
            self.meter.saw(one)
