"""A camera or microphone, as getUserMedia sees it (Media Capture and Streams, sections 9.3 and 10)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from peerline.media.choices import CameraMode, choices
from peerline.media.constraints import MediaTrackConstraintSet
from peerline.media.select_settings import Group
from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings
from peerline.media.source import Source


class InputDevice(ABC):
    """`usual` holds what it is set to if nobody asks; `modes` the sizes that a camera has, the usual one first."""

    kind: Literal["audio", "video"]
    id: str
    group: str
    label: str
    usual: MediaTrackSettings
    modes: Sequence[CameraMode] = ()

    @property
    @abstractmethod
    def capabilities(self) -> MediaTrackCapabilities:
        """All it can be set to."""

    @abstractmethod
    async def open(self) -> Source:
        """Begin to capture. Raises NotAllowedError, NotReadableError (busy) or AbortError."""

    def choices(self, sets: Sequence[MediaTrackConstraintSet]) -> list[Group]:
        """The settings it can have, as far as they matter for these constraints."""
        own = MediaTrackSettings(self.usual, deviceId=self.id, groupId=self.group)
        return choices(self.capabilities, own, self.modes, sets)
