"""The screen, through X11 (Screen Capture, section 5.1)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peerline.errors import NotAllowedError, NotFoundError, NotReadableError, NotSupportedError
from peerline.media.choices import CameraMode
from peerline.media.codecs.libraries import media_extra
from peerline.media.constraints import MediaTrackConstraintSet
from peerline.media.device import InputDevice
from peerline.media.select_settings import Group
from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings
from peerline.media.source import Source
from peerline.media.sources.av_pictures import AvPictures
from peerline.media.sources.camera_settings import picture_capabilities
from peerline.media.sources.device_source import VideoDeviceSource

__all__ = ["Screen"]

FRAME_RATE = 30.0
SOCKETS = Path("/tmp/.X11-unix")


class Screen(InputDevice):
    """The whole of one X11 display. It captures while a track of it is live. `await Screen.find()` gives it."""

    kind = "video"
    label = "Screen"
    group = "screens"

    def __init__(self, display: str, first: AvPictures) -> None:
        self.display = display
        """As in $DISPLAY: ":0"."""
        self.id = f"screen{display}"
        self.modes = (CameraMode(first.width, first.height, FRAME_RATE),)
        self.usual = MediaTrackSettings()
        # Closing and opening it again would make some servers begin anew.
        self._first: AvPictures | None = first

    @classmethod
    async def find(cls, display: str | None = None) -> Screen:
        """That display, or the one of $DISPLAY. Raises NotFoundError if there is none, NotAllowedError if it does not
        let this user in, NotSupportedError without the extra `media`.
        """
        name = os.environ.get("DISPLAY", "") if display is None else display
        if not name:
            hint = "under Wayland there is one only with XWayland; on a server, start Xvfb"
            raise NotFoundError("there is no X11 display to capture: $DISPLAY is not set", hint=hint)
        try:
            return cls(name, await asyncio.to_thread(_grab, name))
        except NotReadableError as error:
            # FFmpeg does not tell one from the other.
            if name.startswith(":") and not (SOCKETS / f"X{name[1:].partition('.')[0]}").exists():
                raise NotFoundError("there is no X11 display of the name in $DISPLAY") from error
            raise NotAllowedError("the X11 display does not let this user in", hint="see `xhost`") from error

    @property
    def capabilities(self) -> MediaTrackCapabilities:
        """See InputDevice."""
        return picture_capabilities(self.modes, deviceId=self.id, groupId=self.group)

    def choices(self, sets: Sequence[MediaTrackConstraintSet]) -> list[Group]:
        """See InputDevice. A screen keeps its shape: it is scaled, nothing of it is cut off (section 5.4)."""
        width, height, _ = self.modes[0]

        def keeps_shape(settings: dict[str, Any]) -> bool:
            # Whole pixels: either side may have been rounded.
            return "width" not in settings or (
                settings["height"] == max(1, round(settings["width"] * height / width))
                or settings["width"] == max(1, round(settings["height"] * width / height))
            )

        return [[one for one in group if keeps_shape(one)] for group in super().choices(sets)]

    async def open(self) -> Source:
        """See InputDevice."""
        first, self._first = self._first, None
        if first is None:
            first = await asyncio.to_thread(_grab, self.display)
        return VideoDeviceSource(self, self._capture, first)

    def _capture(self, mode: CameraMode) -> AvPictures:
        return _grab(self.display)


def _grab(display: str) -> AvPictures:
    with media_extra():
        import av
    if "x11grab" not in av.formats_available:
        raise NotSupportedError(
            "this build of PyAV cannot capture screens", hint="the wheels of PyAV for Linux can: pip install av"
        )
    return AvPictures(display, "x11grab", {"framerate": str(FRAME_RATE)}, "the screen")
