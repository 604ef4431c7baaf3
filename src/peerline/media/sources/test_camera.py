"""A camera that films a TestPattern: for programs that are tried where there is none."""

from __future__ import annotations

from collections.abc import Iterator

from peerline.media.choices import CameraMode
from peerline.media.device import InputDevice
from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings
from peerline.media.source import Source
from peerline.media.sources.camera_settings import picture_capabilities
from peerline.media.sources.device_source import VideoDeviceSource
from peerline.media.sources.painter import Painter
from peerline.media.sources.test_pattern import painted
from peerline.media.video_frame import VideoFrame

__all__ = ["TestCamera"]

SIZES = ((640, 480), (320, 240), (1280, 720), (1920, 1080))


class TestCamera(InputDevice):
    """`mediaDevices.inputs = [TestCamera(), TestMicrophone()]`. It has sizes up to 1920x1080, at 30 and 60 a second."""

    __test__ = False  # pytest takes whatever is called Test… for tests

    kind = "video"

    def __init__(self, id: str = "test-camera", *, facing: str = "user", seed: int = 0, is_noisy: bool = False) -> None:
        self.id = id
        self.group = "test-devices"
        self.label = "Test camera"
        self.modes = tuple(CameraMode(*size, rate) for size in SIZES for rate in (30.0, 60.0))
        self.usual = MediaTrackSettings(facingMode=facing)
        self._facing = facing
        self._seed = seed
        self._is_noisy = is_noisy

    @property
    def capabilities(self) -> MediaTrackCapabilities:
        """See InputDevice."""
        return picture_capabilities(self.modes, facingMode=[self._facing], deviceId=self.id, groupId=self.group)

    async def open(self) -> Source:
        """See InputDevice. Raises NotSupportedError without the extra `media`."""
        return VideoDeviceSource(self, self._capture, self._capture(self.modes[0]), is_idle_unwanted=True)

    def _capture(self, mode: CameraMode) -> PaintedPictures:
        painter = Painter(mode.width, mode.height, mode.frame_rate, seed=self._seed, is_noisy=self._is_noisy)
        return PaintedPictures(painter, mode.frame_rate)


class PaintedPictures:
    """Painted when they are due."""

    def __init__(self, painter: Painter, frame_rate: float) -> None:
        self._painter = painter
        self._frame_rate = frame_rate

    def __iter__(self) -> Iterator[tuple[float, VideoFrame]]:
        return painted(self._painter, self._frame_rate)

    def close(self) -> None:
        """Nothing is to be given back."""
