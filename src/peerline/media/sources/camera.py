"""A camera of this computer, through Video for Linux."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator

from peerline.media.choices import CameraMode
from peerline.media.device import InputDevice
from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings
from peerline.media.source import Source
from peerline.media.sources.av_pictures import AvPictures
from peerline.media.sources.boxes import box_of
from peerline.media.sources.camera_settings import picture_capabilities
from peerline.media.sources.device_source import VideoDeviceSource
from peerline.media.sources.v4l2 import NODES, FoundCamera, find_cameras

__all__ = ["Camera", "cameras"]

# What a camera is set to if nobody asks is the mode nearest to this.
USUAL = CameraMode(640, 480, 30.0)


class Camera(InputDevice):
    """It captures while a track of it is live, in the modes that it has by itself."""

    kind = "video"

    def __init__(self, found: FoundCamera) -> None:
        self.path = found.path
        """Its node: "/dev/video0"."""
        self.id = hashlib.sha256(f"{found.bus}\0{found.name}".encode()).hexdigest()[:32]
        self.group = box_of(NODES / found.path.rpartition("/")[2]) or self.id
        self.label = found.name
        self.modes = tuple(sorted(found.formats, key=_distance_from_usual))
        self.usual = MediaTrackSettings()
        self._formats = found.formats

    @property
    def capabilities(self) -> MediaTrackCapabilities:
        """See InputDevice."""
        return picture_capabilities(self.modes, deviceId=self.id, groupId=self.group)

    async def open(self) -> Source:
        """See InputDevice. Raises NotSupportedError without the extra `media`."""
        first = await asyncio.to_thread(self._capture, self.modes[0])
        return VideoDeviceSource(self, self._capture, first)

    def _capture(self, mode: CameraMode) -> AvPictures:
        options = {
            "video_size": f"{mode.width}x{mode.height}",
            "framerate": str(mode.frame_rate),
            "input_format": self._formats[mode],
        }
        return AvPictures(self.path, "v4l2", options, "the camera")


def cameras() -> Iterator[Camera]:
    """All that this user may open."""
    return map(Camera, find_cameras())


def _distance_from_usual(mode: CameraMode) -> tuple[float, float]:
    size, usual = mode.width * mode.height, USUAL.width * USUAL.height
    return max(size / usual, usual / size), abs(mode.frame_rate - USUAL.frame_rate)
