"""What the sources of devices have in common: they can be set to something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from peerline.media.source import Source
from peerline.media.sources.fitting import Fitter
from peerline.media.sources.paced import PacedSource
from peerline.media.sources.pump import Step, Steps

if TYPE_CHECKING:
    from peerline.media.choices import CameraMode
    from peerline.media.constraints import MediaTrackConstraintSet
    from peerline.media.device import InputDevice
    from peerline.media.select_settings import Group
    from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings
    from peerline.media.sink import Frame
    from peerline.media.track import MediaStreamTrack
    from peerline.media.video_frame import VideoFrame

__all__ = ["AudioDeviceSource", "Pictures", "VideoDeviceSource"]


class Pictures(Protocol):
    """Of a device that captures, until it is closed."""

    def __iter__(self) -> Iterator[tuple[float, VideoFrame]]:
        """Each with the time at which it is due: now, where the device sets the pace."""

    def close(self) -> None:
        """Capture no more."""


class DeviceSource(Source):
    """Tracks can be set to what the device says; each gets frames as its own settings want them."""

    _device: InputDevice

    def capabilities(self) -> MediaTrackCapabilities:
        """See Source."""
        return self._device.capabilities

    def choices(self, sets: Sequence[MediaTrackConstraintSet]) -> list[Group]:
        """See Source."""
        return self._device.choices(sets)

    def deliver(self, *frames: Frame) -> None:
        """See Source."""
        for track in self.tracks:
            for frame in frames:
                fitting = self.fit(frame, track)
                if fitting is not None:
                    track._deliver(fitting)

    def fit(self, frame: Any, track: MediaStreamTrack) -> Frame | None:
        """The frame that this track gives for this one, if any."""
        raise NotImplementedError


class AudioDeviceSource(DeviceSource):
    """Of microphones: all tracks have the rate of the device, each its own number of channels."""

    def fit(self, frame: Any, track: MediaStreamTrack) -> Frame:
        """See DeviceSource."""
        fitting: Frame = frame.with_channels(track._settings.get("channelCount", frame.channels))
        return fitting


class VideoDeviceSource(DeviceSource, PacedSource):
    """Of cameras. `capture(mode)` begins to capture in a mode of the device; `first` has begun in the usual mode.

    The device runs in the smallest mode that is enough for all tracks; pictures are cropped and scaled for each. With
    `is_idle_unwanted` it runs only while somebody takes pictures, else as long as a track is live.
    """

    def __init__(
        self,
        device: InputDevice,
        capture: Callable[[CameraMode], Pictures],
        first: Pictures,
        *,
        is_idle_unwanted: bool = False,
    ) -> None:
        self._device = device
        self._capture = capture
        self._first = first
        self._is_idle_unwanted = is_idle_unwanted
        self._mode = device.modes[0]
        self._fitters: WeakKeyDictionary[MediaStreamTrack, Fitter] = WeakKeyDictionary()
        super().__init__(device.label)

    def apply(self, track: MediaStreamTrack, settings: MediaTrackSettings) -> None:
        """See Source."""
        others = [other._settings for other in self.tracks if other is not track]
        self._mode = _mode_for([settings, *others], self._device.modes)

    def has_use(self) -> bool:
        """See PacedSource."""
        return self.is_wanted if self._is_idle_unwanted else len(self.tracks) > 0

    def fit(self, frame: Any, track: MediaStreamTrack) -> Frame | None:
        """See DeviceSource."""
        if not track._sinks:
            return None
        fitter = self._fitters.setdefault(track, Fitter())
        return fitter.fit(frame, track._settings, self._mode.frame_rate)

    def steps(self) -> Steps:
        """See PacedSource."""
        mode, pictures = self._device.modes[0], self._first
        while True:
            with closing(pictures):
                for due_s, picture in pictures if mode == self._mode else ():
                    yield Step(due_s, partial(self.deliver, picture))
                    if mode != self._mode:
                        break
                if mode == self._mode:
                    return  # the device gives no more
            mode = self._mode
            pictures = self._capture(mode)

    def close(self) -> None:
        """See PacedSource."""
        self._first.close()


def _mode_for(wanted: Sequence[MediaTrackSettings], modes: Sequence[CameraMode]) -> CameraMode:
    """The smallest mode that is enough for all; else the largest."""
    needed = [max((one.get(name, 0) for one in wanted), default=0) for name in ("width", "height", "frameRate")]

    def size(mode: CameraMode) -> tuple[int, float]:
        return mode.width * mode.height, mode.frame_rate

    enough = [mode for mode in modes if all(has >= need for has, need in zip(mode, needed, strict=True))]
    return min(enough, key=size) if enough else max(modes, key=size)
