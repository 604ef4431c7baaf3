"""A track of frames that are encoded already, and pass through untouched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peerline.eventloop import queue_task
from peerline.events import Event, EventHandler, fire
from peerline.jobs import running_jobs
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.encoded_source import EncodedSource
from peerline.media.track import MediaStreamTrack

__all__ = ["EncodedTrack"]


class EncodedTrack(MediaStreamTrack):
    """Give it frames with `write`, and a connection to send them: `pc.addTrack(track)`.

    What the other side did not agree on (another codec) is dropped there. `keyframe` is fired when a receiver needs a
    picture that stands alone.
    """

    onkeyframe = EventHandler("keyframe")

    def __init__(self, kind: str, label: str = "") -> None:
        super().__init__(kind, source=_GivenSource(kind, label))

    def write(self, frames: EncodedFrame | Iterable[EncodedFrame]) -> None:
        """The next frame, or several. It never waits; nothing happens once the track has ended."""
        batch = (frames,) if isinstance(frames, EncodedFrame) else tuple(frames)
        if batch:
            self._source.deliver(*batch)

    def _sibling(self) -> MediaStreamTrack:
        return MediaStreamTrack(self.kind, source=self._source)


class _GivenSource(EncodedSource):
    def request_key_frame(self) -> None:
        for track in self.tracks:
            if isinstance(track, EncodedTrack):
                _soon(fire, track, Event("keyframe"))


def _soon(call: Any, *arguments: Any) -> None:
    if running_jobs() is not None:
        queue_task("media", call, *arguments)
    else:
        call(*arguments)
