"""Packets of a file as frames that stay encoded: for codecs that WebRTC carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peerline.errors import NotSupportedError
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.sources.unpacking import Piece

if TYPE_CHECKING:
    import av

__all__ = ["Passer"]

# FFmpeg's names, ours, and ticks a second.
CODECS = {
    "opus": ("opus", 48000),
    "pcm_mulaw": ("pcmu", 8000),
    "pcm_alaw": ("pcma", 8000),
    "vp8": ("vp8", 90000),
    "vp9": ("vp9", 90000),
    "h264": ("h264", 90000),
    "av1": ("av1", 90000),
}
# The decoders' names, where they are not the codecs'.
DECODERS = {"libopus": "opus", "libvpx": "vp8", "libvpx-vp9": "vp9", "libdav1d": "av1", "libaom-av1": "av1"}

HINT = "leave out is_encoded=True: it is decoded then, and encoded anew for the connection"


class Passer:
    """One stream, once through. Raises NotSupportedError for what WebRTC does not carry as it is."""

    def __init__(self, stream: av.AudioStream | av.VideoStream, start_s: float) -> None:
        context = stream.codec_context
        name = DECODERS.get(context.name, context.name)
        if name not in CODECS:
            raise NotSupportedError(f"WebRTC carries no {name}", hint=HINT)
        # Of sound, which the type does not say.
        of_sound: Any = context
        if name.startswith("pcm") and (of_sound.sample_rate, of_sound.channels) != (8000, 1):
            raise NotSupportedError("WebRTC carries G.711 at 8000 Hz and mono only", hint=HINT)
        if getattr(context, "has_b_frames", False):
            raise NotSupportedError("pictures that need later ones (B-frames) cannot be sent as they are", hint=HINT)
        self._codec, self._clock_rate = CODECS[name]
        self._start_s = start_s
        self._filter = _annex_b_filter(stream) if name == "h264" else None
        self._is_video = stream.type == "video"
        self._needs_key = self._is_video
        self._next = 0

    def unpack(self, packet: av.Packet[Any], *, is_wanted: bool) -> list[Piece]:
        """The pieces that come out now: whole frames, from a key frame on."""
        packets = [packet] if self._filter is None else self._filter.filter(None if packet.dts is None else packet)
        return [self._piece(one, is_wanted=is_wanted) for one in packets if one.size]

    def _piece(self, packet: av.Packet[Any], *, is_wanted: bool) -> Piece:
        at = packet.pts if packet.pts is not None else packet.dts or 0
        time_s = float(at * packet.time_base) - self._start_s
        duration_s = float((packet.duration or 0) * packet.time_base)
        is_key = packet.is_keyframe or not self._is_video
        self._needs_key = self._is_video and (not is_wanted or (self._needs_key and not is_key))
        if not is_wanted or self._needs_key:
            return Piece(time_s, duration_s, None)
        timestamp, duration = round(time_s * self._clock_rate), round(duration_s * self._clock_rate)
        # Files that round their times leave no gaps in the sound for that.
        if not self._is_video and abs(timestamp - self._next) < self._clock_rate / 50:
            timestamp = self._next
        self._next = timestamp + duration
        frame = EncodedFrame(bytes(packet), timestamp, self._codec, is_key=is_key, duration=duration or None)
        return Piece(time_s, duration_s, frame)


def _annex_b_filter(stream: Any) -> Any:
    """Start codes in place of lengths, and the parameter sets before each key frame."""
    from av.bitstream import BitStreamFilterContext

    return BitStreamFilterContext("h264_mp4toannexb", stream)
