"""Recording tracks into a file: WebM, Matroska, MP4, Ogg, WAV."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from peerline.errors import InvalidStateError, NotSupportedError, PeerlineError
from peerline.media.codecs.libraries import media_extra
from peerline.media.sinks.backlog import Backlog
from peerline.media.sinks.container import container_for
from peerline.media.sinks.lane import Lane
from peerline.media.sinks.output_file import OutputFile
from peerline.media.sinks.writer import Writer, call_on

if TYPE_CHECKING:
    from types import TracebackType

    from peerline.media.sinks.recording import MuxedRecording, WavRecording
    from peerline.media.track import MediaStreamTrack

__all__ = ["FileSink"]


class FileSink:
    """`async with FileSink("call.webm") as recorder: recorder.add_track(track); recorder.start()`.

    What the file can hold is written as it came, without being decoded: .webm takes Opus, VP8, VP9, AV1; .mkv also
    H.264; .mp4 takes H.264, VP9, AV1, Opus; .ogg and .opus take Opus. Anything else, and what is not encoded, is
    encoded for it. A .wav holds the decoded sound of one track. A thread of its own writes; if it is too slow, the
    oldest frames are dropped and counted.

    The file is finished by `stop`, or when all tracks have ended. What was written can be played even if the process
    is killed or the disk is full. An error ends the recording and nothing else: it is in `error`, `onerror` is called
    with it, and `stop` raises it.

    Raises NotSupportedError for an unknown suffix (or `format`, which stands in for it: "webm"), and if the extra
    `media` is missing. Bitrates are those of what has to be encoded; by default that of pictures follows their size.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        format: str | None = None,
        audio_bitrate_bps: int = 64_000,
        video_bitrate_bps: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._path = Path(path)
        self._container = container_for(self._path, format)
        with media_extra():
            import av  # noqa: F401  # said here, not when the first frame is due
            import numpy  # noqa: F401
        self.onerror: Callable[[PeerlineError], object] | None = None
        """Called with the error that ended the recording, on the event loop if `start` was called on one."""
        self._bitrates_bps = (audio_bitrate_bps, video_bitrate_bps)
        self._clock = clock
        self._lanes: list[Lane] = []
        self._backlog = Backlog()
        self._output: OutputFile | None = None
        self._recording: MuxedRecording | WavRecording | None = None
        self._writer: Writer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # Before and after ---------------------------------------------------------------------------------

    def add_track(self, track: MediaStreamTrack) -> None:
        """Record it, too. Twice is once.

        Raises InvalidStateError after `start`, NotSupportedError if the file cannot hold it.
        """
        if self._writer is not None:
            raise InvalidStateError("tracks are added before the recording starts: the head of the file names them all")
        if any(lane.track is track for lane in self._lanes):
            return
        name = self._container.name
        if track.kind not in self._container.encoded:
            raise NotSupportedError(f"a file of {name} holds no pictures", hint="take .webm, .mkv or .mp4")
        if name == "wav" and self._lanes:
            raise NotSupportedError(
                "a file of wav holds one track", hint="take .ogg or .webm, or a file for each track"
            )
        self._lanes.append(Lane(track, self._container, self._backlog, self._clock))

    def start(self) -> None:
        """Begin. On an event loop, `onerror` is called there.

        Raises InvalidStateError without a track or the second time; NotFoundError, NotAllowedError, QuotaExceededError
        or OperationError if the file cannot be opened.
        """
        if self._writer is not None or not self._lanes:
            raise InvalidStateError("a recording is started once, and with a track at least")
        self._output = OutputFile(self._path)
        self._recording = self._new_recording(self._output)
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        failed = partial(self._on_loop, self._tell)
        self._writer = Writer(self._recording, self._output, self._backlog, self._lanes, failed)
        for lane in self._lanes:
            lane.ask_key_frame = self._asking(lane)
            if lane.track.readyState == "ended":
                lane.end()
            lane.track.attach_sink(lane)
            if lane.kind == "video":
                lane.track.request_key_frame()

    async def stop(self) -> None:
        """End, and wait until the file is complete. Raises the error that ended the recording, if there was one.

        Twice is fine; without `start` nothing happens.
        """
        if self._writer is None:
            return
        self._detach()
        self._backlog.close()
        await self._writer.finished()
        if self._writer.error is not None:
            raise self._writer.error

    async def __aenter__(self) -> FileSink:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        except PeerlineError:
            if error is None:
                raise

    # How it goes --------------------------------------------------------------------------------------

    @property
    def is_recording(self) -> bool:
        """Between `start` and the end."""
        return self._writer is not None and not self._writer.is_done

    @property
    def error(self) -> PeerlineError | None:
        """What ended the recording before its time."""
        return None if self._writer is None else self._writer.error

    @property
    def duration_s(self) -> float:
        """Seconds recorded so far."""
        return 0.0 if self._recording is None else self._recording.duration_s

    @property
    def bytes_written(self) -> int:
        """The size of the file so far."""
        return 0 if self._output is None else self._output.size

    @property
    def dropped(self) -> int:
        """Frames left out because the disk or the encoder was too slow, or because they were broken."""
        return self._backlog.dropped + (0 if self._recording is None else self._recording.failed)

    # Inside -------------------------------------------------------------------------------------------

    def _new_recording(self, output: OutputFile) -> MuxedRecording | WavRecording:
        from peerline.media.sinks.part import Part
        from peerline.media.sinks.recording import MuxedRecording, WavRecording

        if self._container.name == "wav":
            return WavRecording(output)
        parts = [Part(lane, self._container.encoded[lane.kind], *self._bitrates_bps) for lane in self._lanes]
        return MuxedRecording(output, self._container, self._lanes, parts)

    def _tell(self, error: PeerlineError) -> None:
        self._detach()
        if self.onerror is not None:
            self.onerror(error)

    def _detach(self) -> None:
        for lane in self._lanes:
            lane.track.detach_sink(lane)

    def _asking(self, lane: Lane) -> Callable[[], None]:
        return partial(self._on_loop, lane.track.request_key_frame)

    def _on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        """Tracks belong to the loop, frames come from anywhere."""
        if self._loop is None:
            call(*arguments)
        else:
            call_on(self._loop, call, *arguments)
