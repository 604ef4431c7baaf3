"""A file of encoded frames, written by FFmpeg: WebM, Matroska, MP4, Ogg."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from peerline.media.codecs import codec_of
from peerline.media.codecs.libraries import media_extra

if TYPE_CHECKING:
    from peerline.media.encoded_frame import EncodedFrame
    from peerline.media.sinks.container import Container
    from peerline.media.sinks.output_file import OutputFile
    from peerline.media.sinks.picture_stream import PictureStream

__all__ = ["MuxedFile"]

# Frames are sorted by time as long as no stream is that much behind the others (microseconds).
_MOST_BEHIND_US = "1000000"


class MuxedFile:
    """Its streams are known from the beginning: those of pictures by a key frame, None stands for one of Opus.

    Errors of the disk are not raised: the output keeps them.
    """

    def __init__(self, output: OutputFile, container: Container, streams: Sequence[PictureStream | None]) -> None:
        with media_extra():
            import av
        self._make_packet = av.Packet
        self._file = av.open(
            output,
            "w",
            format=container.name,
            container_options={**container.options, "flush_packets": "1", "max_interleave_delta": _MOST_BEHIND_US},
        )
        self._streams = [
            self._file.add_stream("libopus", rate=48000)
            if picture is None
            else self._file.add_stream_from_template(picture.stream, opaque=True)
            for picture in streams
        ]
        self._last_ticks = [-1] * len(streams)
        self._file.start_encoding()

    def write(self, index: int, frame: EncodedFrame, start_s: float, duration_s: float | None) -> None:
        """The next frame of that stream. Its own timestamp does not count."""
        clock_rate = codec_of(frame.codec).clock_rate
        ticks = max(round(start_s * clock_rate), self._last_ticks[index] + 1)
        self._last_ticks[index] = ticks
        packet = self._make_packet(frame.data)
        packet.stream = self._streams[index]
        packet.time_base = Fraction(1, clock_rate)
        packet.pts = packet.dts = ticks
        if duration_s is not None:
            packet.duration = round(duration_s * clock_rate)
        packet.is_keyframe = frame.is_key
        self._file.mux(packet)

    def close(self) -> None:
        """Write what can be known only now: how long it is, where its key frames are."""
        self._file.close()
