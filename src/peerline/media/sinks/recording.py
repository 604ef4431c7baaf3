"""Recordings as they are written, by one thread: of encoded frames, streams and all, or of plain samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from peerline.media.codecs import codec_of
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.sinks.muxed_file import MuxedFile
from peerline.media.sinks.part import Part
from peerline.media.sinks.timeline import Timeline
from peerline.media.sinks.wav_file import WavFile

if TYPE_CHECKING:
    from peerline.media.audio_frame import AudioFrame
    from peerline.media.sinks.backlog import Arrival
    from peerline.media.sinks.container import Container
    from peerline.media.sinks.lane import Lane
    from peerline.media.sinks.output_file import OutputFile

__all__ = ["MuxedRecording", "WavRecording"]

# The head of a file names all streams, so the first frame of each is awaited, but not for longer.
_PATIENCE_S = 2.0


class MuxedRecording:
    """A file of as many streams as there are lanes; time zero is when the first frame came that is written."""

    def __init__(self, output: OutputFile, container: Container, lanes: Sequence[Lane], parts: Sequence[Part]) -> None:
        self.duration_s = 0.0
        self._output = output
        self._container = container
        self._parts = dict(zip(lanes, parts, strict=True))
        self._zero_s: float | None = None
        self._file: MuxedFile | None = None
        self._indices: dict[Part, int] = {}
        self._ends_s: dict[Part, float] = {}
        self._early: list[tuple[float, Part, EncodedFrame]] = []

    @property
    def failed(self) -> int:
        """Frames that could not be read or encoded."""
        return sum(part.failed for part in self._parts.values())

    def write(self, arrival: Arrival) -> None:
        """The next frame, or the end, of a lane."""
        part = self._parts[arrival.lane]
        if arrival.frame is None:
            part.is_ended = True
        else:
            for frame in part.frames(arrival.frame, arrival.at_s):
                self._place(part, frame, arrival.at_s)
        if self._file is None and self._zero_s is not None:
            is_complete = all(part.is_heard or part.is_ended for part in self._parts.values())
            if is_complete or arrival.at_s - self._zero_s >= _PATIENCE_S:
                self._begin()

    def finish(self) -> None:
        """Nothing more comes."""
        try:
            if self._file is None and self._zero_s is not None:
                for part in self._parts.values():
                    part.is_ended = True
                self._begin()
            if self._file is not None:
                self._file.close()
        finally:
            for part in self._parts.values():
                part.close()

    def _place(self, part: Part, frame: EncodedFrame, arrival_s: float) -> None:
        if self._zero_s is None:
            self._zero_s = arrival_s
        if part.timeline is None:
            part.timeline = Timeline(self._zero_s)
        start_s = part.timeline.place(frame.timestamp / codec_of(frame.codec).clock_rate, arrival_s)
        if self._file is None:
            self._early.append((start_s, part, frame))
        else:
            self._put(start_s, part, frame)

    def _begin(self) -> None:
        parts = [part for part in self._parts.values() if part.is_heard or not part.is_ended]
        for part in parts:
            if not part.is_heard:
                self._early += [(0.0, part, frame) for frame in part.stand_in()]
            part.lane.codec = part.codec
        self._file = MuxedFile(self._output, self._container, [part.stream for part in parts])
        self._indices = {part: index for index, part in enumerate(parts)}
        for part in parts:
            part.close_stream()
        early, self._early = self._early, []
        for start_s, part, frame in sorted(early, key=lambda one: one[0]):
            self._put(start_s, part, frame)

    def _put(self, start_s: float, part: Part, frame: EncodedFrame) -> None:
        assert self._file is not None
        index = self._indices.get(part)
        if index is None:
            return
        duration_s = None if frame.duration is None else frame.duration / codec_of(frame.codec).clock_rate
        if self._container.is_gapless and duration_s:
            start_s = self._fill(start_s, part, frame, duration_s)
        self._file.write(index, frame, start_s, duration_s)
        self._ends_s[part] = start_s + (duration_s or 0.0)
        self.duration_s = max(self.duration_s, self._ends_s[part])

    def _fill(self, start_s: float, part: Part, frame: EncodedFrame, duration_s: float) -> float:
        """Empty packets of Opus for what is missing before it: a decoder conceals them (RFC 7845, section 4.1)."""
        assert self._file is not None
        at_s = self._ends_s.get(part, 0.0)
        empty = replace(frame, data=bytes([frame.data[0] & 0xFC]))
        # One frame a packet, so a packet of several frames stands for less when it is empty.
        length_s = min(duration_s, _with_one_frame_s(frame))
        while start_s - at_s >= length_s:
            self._file.write(self._indices[part], empty, at_s, length_s)
            at_s += length_s
        return max(at_s, start_s)


class WavRecording:
    """A file of the decoded sound of one lane."""

    failed = 0

    def __init__(self, output: OutputFile) -> None:
        self.duration_s = 0.0
        self._file = WavFile(output)
        self._timeline: Timeline | None = None

    def write(self, arrival: Arrival) -> None:
        """The next frame, or the end, of the lane."""
        if arrival.frame is None:
            return
        frame = cast("AudioFrame", arrival.frame)
        if self._timeline is None:
            self._timeline = Timeline(arrival.at_s)
        self.duration_s = self._file.write(frame, self._timeline.place(frame.time_s, arrival.at_s))

    def finish(self) -> None:
        """Nothing more comes."""
        self._file.close()


def _with_one_frame_s(frame: EncodedFrame) -> float:
    """The length of one frame of an Opus packet, by its first five bits (RFC 6716, table 2)."""
    configuration = frame.data[0] >> 3
    if configuration < 12:
        return (0.01, 0.02, 0.04, 0.06)[configuration % 4]
    if configuration < 16:
        return (0.01, 0.02)[configuration % 2]
    return (0.0025, 0.005, 0.01, 0.02)[configuration % 4]
