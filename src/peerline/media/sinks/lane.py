"""A track that is recorded, as the track sees it: a sink that puts frames into the backlog with the time they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from peerline.media.sinks.backlog import Arrival, Backlog

if TYPE_CHECKING:
    from peerline.media.sink import Frame
    from peerline.media.sinks.container import Container
    from peerline.media.track import MediaStreamTrack

__all__ = ["Lane"]


class Lane:
    """`codec` is that of its stream in the file, from when the file has one."""

    def __init__(
        self, track: MediaStreamTrack, container: Container, backlog: Backlog, clock: Callable[[], float]
    ) -> None:
        self.track = track
        self.kind = track.kind
        self.codec: str | None = None
        self.ask_key_frame: Callable[[], None] = track.request_key_frame
        self._container = container
        self._backlog = backlog
        self._clock = clock

    def takes(self, codec: str) -> bool:
        """What the file holds as it is; once it has a stream of one codec, others come decoded. See Sink."""
        return codec in self._container.copied and self.codec in (None, codec)

    def receive(self, frame: Frame) -> None:
        """See Sink."""
        if self._backlog.push(Arrival(self, frame, self._clock())):
            self.ask_key_frame()

    def end(self) -> None:
        """The track has ended."""
        self._backlog.push(Arrival(self, None, self._clock()))
