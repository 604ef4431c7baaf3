"""A track's part of a recording, as the writer sees it: what is raw is encoded, pictures begin with a key frame."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from peerline.errors import EncodingError
from peerline.media.codecs import AudioSettings, VideoSettings, encoder_for
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.sinks.picture_stream import PictureStream
from peerline.media.sinks.timeline import Timeline

if TYPE_CHECKING:
    from peerline.media.sink import Frame
    from peerline.media.sinks.lane import Lane

__all__ = ["Part"]

_log = logging.getLogger("peerline.media")

# Key frames of what we encode: players jump to them.
_KEY_INTERVAL_S = 5.0
_ASK_AGAIN_S = 1.0
_BITS_PER_PIXEL = 0.1
_FRAME_RATE = 30
_USUAL_SIZE = (640, 480)
# 20 ms of silence in Opus.
_SILENCE = b"\xf8\xff\xfe"


class Part:
    """Of one lane. `stream` is that of its pictures, from the first key frame on."""

    def __init__(self, lane: Lane, codec: str, audio_bitrate_bps: int, video_bitrate_bps: int | None) -> None:
        self.lane = lane
        self.kind = lane.kind
        self.codec = codec
        self.stream: PictureStream | None = None
        self.timeline: Timeline | None = None
        self.is_heard = False
        self.is_ended = False
        self.failed = 0
        self._audio_bitrate_bps = audio_bitrate_bps
        self._video_bitrate_bps = video_bitrate_bps
        self._encoder: Any = None
        self._needs_key = self.kind == "video"
        self._asked_s: float | None = None
        self._key_time_s = 0.0

    def frames(self, frame: Frame, arrival_s: float) -> list[EncodedFrame]:
        """What is to be written of it: nothing as long as a key frame is missing."""
        try:
            found = self._copied(frame, arrival_s) if isinstance(frame, EncodedFrame) else self._encoded(frame)
        except EncodingError as error:
            self.failed += 1
            _log.warning("a frame was not recorded: %s", error)
            return []
        self.is_heard = self.is_heard or bool(found)
        return found

    def stand_in(self) -> list[EncodedFrame]:
        """For a track from which nothing comes in time: silence or black to begin with, so that the file knows it."""
        if self.kind == "audio":
            return [EncodedFrame(_SILENCE, 0, "opus", duration=960)]
        from peerline.media.video_frame import VideoFrame

        encoder = encoder_for(self.codec, VideoSettings())
        found: list[EncodedFrame] = encoder.encode(VideoFrame.black(*_USUAL_SIZE))
        encoder.close()
        for one in found:
            self._read_head(one)
        return found

    def close(self) -> None:
        """Give memory back."""
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None
        self.close_stream()

    def close_stream(self) -> None:
        """What the head of the file says is said."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def _copied(self, frame: EncodedFrame, arrival_s: float) -> list[EncodedFrame]:
        if frame.codec != self.codec:
            if self.is_heard or self.lane.codec is not None:
                return []  # from the next one on it is decoded for us
            self.codec = frame.codec
        if self._needs_key:
            if not frame.is_key:
                self._ask(arrival_s)
                return []
            self._read_head(frame)
            self._needs_key = False
        return [_with_duration(frame)]

    def _encoded(self, frame: Any) -> list[EncodedFrame]:
        # Should it come encoded after this, what was encoded here is nothing that it could refer to.
        self._needs_key = self.kind == "video"
        if self._encoder is None:
            self._encoder = encoder_for(self.codec, self._settings(frame))
        if self.kind == "video" and abs(frame.time_s - self._key_time_s) >= _KEY_INTERVAL_S:
            self._key_time_s = frame.time_s
            self._encoder.request_key_frame()
        found: list[EncodedFrame] = self._encoder.encode(frame)
        for one in found:
            self._read_head(one)
        return found

    def _settings(self, frame: Any) -> AudioSettings | VideoSettings:
        if self.kind == "audio":
            channels = min(frame.channels, 2)
            return AudioSettings(self._audio_bitrate_bps, channels, application="audio", has_fec=False)
        usual_bps = int(frame.width * frame.height * _FRAME_RATE * _BITS_PER_PIXEL)
        return VideoSettings(self._video_bitrate_bps or max(usual_bps, 100_000), _FRAME_RATE)

    def _read_head(self, frame: EncodedFrame) -> None:
        """Of the first key frame; EncodingError if it is broken."""
        if self.kind == "video" and self.stream is None and self.lane.codec is None:
            self.stream = PictureStream(frame)

    def _ask(self, arrival_s: float) -> None:
        if self._asked_s is None or arrival_s - self._asked_s >= _ASK_AGAIN_S:
            self._asked_s = arrival_s
            self.lane.ask_key_frame()


def _with_duration(frame: EncodedFrame) -> EncodedFrame:
    if frame.duration is None and frame.codec == "opus":
        from peerline.media.codecs.libopus import packet_samples

        return replace(frame, duration=packet_samples(frame.data))
    return frame
