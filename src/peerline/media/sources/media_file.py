"""A file, or whatever else PyAV opens by its address, as tracks that play in real time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from functools import partial
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from peerline.errors import NotReadableError
from peerline.jobs import report
from peerline.media.audio_frame import AudioFrame
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.sources.clock import MAX_LATE_S, now_s
from peerline.media.sources.file_source import EncodedFileSource, FileSource
from peerline.media.sources.home_loop import HomeLoop
from peerline.media.sources.opening import open_input, readable
from peerline.media.sources.passing import CODECS
from peerline.media.sources.pump import Pump, Step, Steps
from peerline.media.sources.reading import Reading
from peerline.media.sources.unpacking import Piece
from peerline.media.track import MediaStreamTrack
from peerline.media.video_frame import VideoFrame

if TYPE_CHECKING:
    from av.container import InputContainer

    from peerline.media.sink import Frame

__all__ = ["MediaFile"]

# Their sender sets the pace, and does not wait.
LIVE_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "tcp")
MAX_EARLY_S = 1.0
STALE_S = 2.0
_CLOCK_RATES = dict(CODECS.values())


class MediaFile:
    """`audio` and `video` are its tracks, None for what it does not hold. They play together while somebody takes the
    frames of one of them, stand still while nobody does, and end where the file does, unless it is played in a `loop`.

    A file is opened at once. With addresses that takes its time: `await MediaFile.open(…)`. With `is_encoded=True` its
    packets are sent as they are, if WebRTC carries the codec: NotSupportedError is raised if not. `format` and
    `options` are those of FFmpeg.

    Raises NotFoundError where nothing is, NotReadableError for what holds neither sound nor pictures or cannot be read,
    NotSupportedError without the extra `media`.
    """

    def __init__(
        self,
        path_or_url: str | PathLike[str],
        *,
        loop: bool = False,
        is_encoded: bool = False,
        format: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        address = fspath(path_or_url)
        self._is_looped = loop
        self._is_encoded = is_encoded
        self._is_live = urlsplit(address).scheme in LIVE_SCHEMES
        self._open = partial(open_input, address, format=format, options=dict(options or {}))
        self._container: InputContainer | None = self._open()
        try:
            self._reading: Reading | None = self._new_reading(self._container)
            kinds = self._reading.kinds
            if not kinds:
                raise NotReadableError("it holds neither sound nor pictures")
        except BaseException:
            self._close()
            raise
        duration = self._container.duration
        self.duration_s = None if duration is None else duration / 1_000_000
        """Seconds it lasts; None if nobody knows."""
        self._home = HomeLoop()
        self._sources = {kind: self._source(kind) for kind in kinds}
        self._pump = Pump(
            "file", self._steps(), is_wanted=self._is_wanted, close=self._close, finished=self._tell_that_it_is_over
        )
        self.audio = self._track("audio")
        """Its sound."""
        self.video = self._track("video")
        """Its pictures."""

    @classmethod
    async def open(cls, path_or_url: str | PathLike[str], **more: Any) -> MediaFile:
        """The same as the constructor, without keeping the event loop waiting."""
        file = await asyncio.to_thread(cls, path_or_url, **more)
        file._home.remember()
        return file

    def stop(self) -> None:
        """Stop its tracks, and their clones."""
        for source in self._sources.values():
            source.stop_tracks()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' and '.join(self._sources)}>"

    # For its sources ----------------------------------------------------------------------------------

    def sinks_changed(self) -> None:
        """Somebody takes the frames of a track, or nobody any more."""
        self._home.remember()
        self._pump.changed()

    def source_stopped(self) -> None:
        """A source has lost its last track."""
        if all(source.is_stopped for source in self._sources.values()):
            self._pump.stop()

    # Inside -------------------------------------------------------------------------------------------

    def _track(self, kind: Literal["audio", "video"]) -> MediaStreamTrack | None:
        return MediaStreamTrack(kind, source=self._sources[kind]) if kind in self._sources else None

    def _source(self, kind: Any) -> FileSource | EncodedFileSource:
        return EncodedFileSource(kind, self) if self._is_encoded else FileSource(kind, self)

    def _is_wanted(self) -> bool:
        return any(map(self._is_kind_wanted, self._sources))

    def _is_kind_wanted(self, kind: str) -> bool:
        return self._sources[kind].is_wanted

    def _new_reading(self, container: InputContainer) -> Reading:
        return Reading(container, is_encoded=self._is_encoded, is_live=self._is_live, is_wanted=self._is_kind_wanted)

    def _close(self) -> None:
        container, self._container, self._reading = self._container, None, None
        if container is not None:
            container.close()

    def _tell_that_it_is_over(self, error: Exception | None) -> None:
        self._home.tell(self._end_with, error)

    def _end_with(self, error: Exception | None) -> None:
        if error is not None:
            report(error, "a file that is played")
        for source in self._sources.values():
            source.end()

    # On the thread ------------------------------------------------------------------------------------

    def _steps(self) -> Steps:
        start_s: float | None = None
        for time_s, do in self._timed():
            # Who begins, was paused or is late goes on from here.
            late_s = math.inf if start_s is None else now_s() - (start_s + time_s)
            if late_s > MAX_LATE_S or (self._is_live and late_s < -MAX_EARLY_S):
                start_s = now_s() - time_s
            assert start_s is not None
            yield Step(start_s + time_s, do)

    def _timed(self) -> Iterator[tuple[float, Any]]:
        offset_s = 0.0
        while self._reading is not None:
            end_s = offset_s
            for kind, piece in _read(self._reading):
                moved = _moved(piece, offset_s)
                asked_s = now_s()
                yield moved.time_s, partial(self._deliver, kind, moved.frame)
                end_s = max(end_s, moved.time_s + moved.duration_s)
                if self._is_live and now_s() - asked_s > STALE_S:
                    break  # nobody took anything: what has piled up since is old
            else:
                if not self._is_looped or end_s <= offset_s:
                    yield end_s, partial(self._deliver, "", None)
                    return
            offset_s = end_s
            self._close()
            # Opened anew: not everything can be wound back.
            self._container = self._open()
            self._reading = self._new_reading(self._container)

    def _deliver(self, kind: str, frame: Frame | None) -> None:
        if frame is not None:
            self._sources[kind].deliver(frame)


def _read(reading: Reading) -> Iterator[tuple[str, Piece]]:
    with readable("the file or address"):
        yield from reading.pieces()


def _moved(piece: Piece, by_s: float) -> Piece:
    """Later, for another round."""
    frame = piece.frame
    if not by_s or frame is None:
        moved = frame
    elif isinstance(frame, EncodedFrame):
        moved = replace(frame, timestamp=frame.timestamp + round(by_s * _CLOCK_RATES[frame.codec]))
    elif isinstance(frame, AudioFrame):
        moved = AudioFrame(frame.samples, frame.rate, frame.timestamp + round(by_s * frame.rate))
    else:
        moved = VideoFrame(frame.to_av(), time_s=frame.time_s + by_s, rotation=frame.rotation)
    return Piece(piece.time_s + by_s, piece.duration_s, moved)
