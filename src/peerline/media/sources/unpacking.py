"""What the packets of a file's stream become: pictures or sound for tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from peerline.media.audio_frame import AudioFrame
from peerline.media.video_frame import VideoFrame

if TYPE_CHECKING:
    import av

    from peerline.media.sink import Frame

__all__ = ["AudioUnpacker", "Piece", "VideoUnpacker"]

FRAMES_PER_SECOND = 50  # of sound: 20 ms each, as WebRTC likes it


class Piece(NamedTuple):
    """A frame, and where it is in the file; no frame where nobody wanted it."""

    time_s: float
    duration_s: float
    frame: Frame | None


class VideoUnpacker:
    """One stream of pictures, once through."""

    def __init__(self, stream: av.VideoStream, start_s: float) -> None:
        self._stream = stream
        self._start_s = start_s
        rate = stream.average_rate or stream.guessed_rate
        self._usual_s = 1 / float(rate) if rate else 1 / 25
        self._next_s = start_s
        self._needs_key = True

    def unpack(self, packet: av.Packet[Any], *, is_wanted: bool) -> list[Piece]:
        """The pieces that come out now; those that nobody wants are not decoded."""
        from av import FFmpegError

        if not is_wanted or (self._needs_key and packet.dts is not None and not packet.is_keyframe):
            self._needs_key = True
            return _skipped(packet, self._start_s, self._usual_s)
        if self._needs_key:
            self._stream.codec_context.flush_buffers()
            self._needs_key = False
        try:
            return [self._piece(picture) for picture in packet.decode()]
        except FFmpegError:
            # Damaged: the next key picture will be whole.
            self._needs_key = True
            return []

    def _piece(self, picture: av.VideoFrame) -> Piece:
        # Some formats hold no times.
        time_s = self._next_s if picture.time is None else picture.time - self._start_s
        self._next_s = time_s + self._usual_s
        rotation = round(-picture.rotation / 90) * 90 % 360
        return Piece(time_s, self._usual_s, VideoFrame.from_av(picture, time_s=time_s, rotation=rotation))


class AudioUnpacker:
    """One stream of sound, once through: mono or stereo, at the rate of the file, in frames of 20 ms."""

    def __init__(self, stream: av.AudioStream, start_s: float) -> None:
        self._stream = stream
        self._start_s = start_s
        self._rate = stream.codec_context.sample_rate
        self._resampler: av.AudioResampler | None = None
        self._next = 0

    def unpack(self, packet: av.Packet[Any], *, is_wanted: bool) -> list[Piece]:
        """The pieces that come out now; those that nobody wants are not decoded."""
        from av import FFmpegError

        if not is_wanted:
            self._resampler = None
            return _skipped(packet, self._start_s, 1 / FRAMES_PER_SECOND)
        if self._resampler is None:
            self._stream.codec_context.flush_buffers()
            self._resampler = self._make_resampler()
        try:
            sounds = [out for sound in packet.decode() for out in self._resampler.resample(sound)]  # type: ignore[arg-type]  # of a stream of sound
            if packet.dts is None:
                sounds += self._resampler.resample(None)
        except FFmpegError:
            # Damaged: what follows is whole.
            self._resampler = None
            return []
        return [self._piece(sound) for sound in sounds if sound is not None and sound.samples]

    def _make_resampler(self) -> av.AudioResampler:
        from av import AudioResampler

        layout = "mono" if self._stream.codec_context.channels == 1 else "stereo"
        return AudioResampler("s16", layout, self._rate, max(1, self._rate // FRAMES_PER_SECOND))

    def _piece(self, sound: av.AudioFrame) -> Piece:
        timestamp = self._next if sound.time is None else round((sound.time - self._start_s) * self._rate)
        # Files that round their times leave no gaps for that.
        if abs(timestamp - self._next) < self._rate / FRAMES_PER_SECOND:
            timestamp = self._next
        samples: Any = sound.to_ndarray().reshape(sound.samples, -1)
        self._next = timestamp + sound.samples
        frame = AudioFrame(samples, self._rate, timestamp)
        return Piece(frame.time_s, frame.duration_s, frame)


def _skipped(packet: av.Packet[Any], start_s: float, usual_s: float) -> list[Piece]:
    """How far the stream has come, without a frame."""
    at = packet.pts if packet.pts is not None else packet.dts
    if at is None:
        return []
    duration_s = float(packet.duration * packet.time_base) if packet.duration else usual_s
    return [Piece(float(at * packet.time_base) - start_s, duration_s, None)]
