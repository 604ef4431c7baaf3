"""The media of one data path: what it carries, who listens; kept until there is an engine to be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peerline.engine.media import FrameOut, MediaPlan
    from peerline.engine.transport import Transport

__all__ = ["PathMedia"]


class PathMedia:
    """Sections are named by the numbers of their transceivers. Calls may come from any thread."""

    def __init__(self) -> None:
        self._engine: Transport | None = None
        self._plan: MediaPlan | None = None
        self._listened: set[int] = set()

    def use(self, engine: Transport | None) -> None:
        """The path has sockets from now on; None: not any more."""
        self._engine = engine
        self._tell_all()

    def commit(self, plan: MediaPlan) -> None:
        """What descriptions agree on from now on."""
        if plan != self._plan and (plan.sections or self._plan is not None):
            self._plan = plan
            self._tell_all()

    def listen(self, section: int, is_listened_to: bool) -> None:
        """Whether frames of this section are wanted."""
        (self._listened.add if is_listened_to else self._listened.discard)(section)
        if self._engine is not None and self._plan is not None:
            self._engine.listen(section, is_listened_to)

    def request_key_frame(self, section: int) -> None:
        """Ask the other side for a picture that stands alone."""
        if self._engine is not None:
            self._engine.request_key_frame(section)

    def send_frames(self, section: int, frames: Sequence[FrameOut]) -> None:
        """Dropped where there is no path yet, or none any more."""
        if self._engine is not None:
            self._engine.send_frames(section, frames)

    def _tell_all(self) -> None:
        if self._engine is None or self._plan is None:
            return
        self._engine.commit_media(self._plan)
        for section in self._plan.sections:
            if section.section in self._listened:
                self._engine.listen(section.section, True)
