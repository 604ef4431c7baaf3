"""Sound: samples with a rate of one's own choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peerline.media.audio_frame import AudioFrame
from peerline.media.reader import FrameReader
from peerline.peer.audio_output import AudioOutput
from peerline.peer.backlog import Backlog, DropOldest
from peerline.peer.port import Port

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peerline.media.sink import Frame
    from peerline.media.track import MediaStreamTrack

__all__ = ["AudioPort", "AudioStream"]


class AudioPort(Port):
    """The sound of a connection."""

    kind = "audio"

    def receive(
        self, *, rate: int = 48_000, frame_ms: float = 20, channels: int = 1, backlog: Backlog | None = None
    ) -> AudioStream:
        """What the other side says: `async for samples in peer.audio.receive(rate=16000)`.

        Arrays of int16, of shape (count,) for one channel and (count, channels) for more, each `frame_ms` long; what is
        lost on the way is made up. Not read in time, older ones are dropped: by default all but the last 200 ms.
        """
        kept = (backlog if backlog is not None else DropOldest()).frames(frame_ms)
        return AudioStream(self.remote, rate, frame_ms, channels, kept)

    def output(self, *, buffer_ms: float = 200) -> AudioOutput:
        """Something to speak into: `out = peer.audio.output()`, `await out.write(samples, rate=24000)`.

        `buffer_ms`: so much may wait; more, and `write` waits.
        """
        made = AudioOutput(buffer_ms=buffer_ms)
        self._send(made.track)
        return made


class AudioStream(FrameReader[Any]):
    """An async iterator of arrays; `close` ends it. Resampling is done off the event loop."""

    def __init__(self, track: MediaStreamTrack, rate: int, frame_ms: float, channels: int, max_frames: int) -> None:
        from peerline.media.codecs.chunker import Chunker

        self.rate = rate
        self._channels = channels
        self._chunker = Chunker(rate, channels, round(rate * frame_ms / 1000))
        super().__init__(track, is_encoded=False, max_frames=max_frames)

    def receive(self, frame: Frame) -> None:
        """See Sink."""
        if isinstance(frame, AudioFrame):
            for _, samples in self._chunker.push(frame):
                self._put(self._shaped(samples))

    def _shaped(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        return samples[:, 0].copy() if self._channels == 1 else samples.copy()
