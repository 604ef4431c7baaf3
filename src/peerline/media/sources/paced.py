"""A source with a thread of its own, which runs while somebody takes its frames."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from peerline.jobs import report
from peerline.media.source import Source
from peerline.media.sources.home_loop import HomeLoop
from peerline.media.sources.pump import Pump, Steps

if TYPE_CHECKING:
    from peerline.media.track import MediaStreamTrack

__all__ = ["PacedSource"]


class PacedSource(Source):
    """Subclasses give `steps`. When there are no more, its tracks end; if the steps raise, the error is reported, too:
    to the exception handler of the event loop.
    """

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._home = HomeLoop()
        self._pump = Pump(
            label, self.steps(), is_wanted=self.has_use, close=self.close, finished=self._tell_that_it_is_over
        )

    @abstractmethod
    def steps(self) -> Steps:
        """Deliver one frame after the other. A generator: it runs on the thread of the source."""

    def has_use(self) -> bool:
        """Whether frames are to be made now."""
        return self.is_wanted

    def close(self) -> None:
        """There will be no more steps: what they needed can go. On any thread."""

    def attach(self, track: MediaStreamTrack) -> None:
        """See Source."""
        super().attach(track)
        self._wake()

    def sinks_changed(self) -> None:
        """See Source."""
        self._wake()

    def stop(self) -> None:
        """See Source."""
        self._pump.stop()

    def _wake(self) -> None:
        self._home.remember()
        self._pump.changed()

    def _tell_that_it_is_over(self, error: Exception | None) -> None:
        self._home.tell(self._end_with, error)

    def _end_with(self, error: Exception | None) -> None:
        if error is not None:
            report(error, f"the source {self.label!r}")
        self.end()
