"""A microphone that hears a Tone: for programs that are tried where there is none."""

from __future__ import annotations

from functools import partial

from peerline.media.codecs.libraries import media_extra
from peerline.media.device import InputDevice
from peerline.media.settings import MediaTrackCapabilities
from peerline.media.source import Source
from peerline.media.sources.clock import ticks
from peerline.media.sources.device_source import AudioDeviceSource
from peerline.media.sources.paced import PacedSource
from peerline.media.sources.pump import Step, Steps
from peerline.media.sources.sound_settings import sound_capabilities, sound_settings
from peerline.media.sources.tone import tone

__all__ = ["TestMicrophone"]

RATE, COUNT = 48000, 960


class TestMicrophone(InputDevice):
    """`mediaDevices.inputs = [TestCamera(), TestMicrophone()]`. 48 kHz, mono or stereo."""

    __test__ = False  # pytest takes whatever is called Test… for tests

    kind = "audio"

    def __init__(self, id: str = "test-microphone", *, frequency_hz: float = 440, level_db: float = -20) -> None:
        self.id = id
        self.group = "test-devices"
        self.label = "Test microphone"
        self.usual = sound_settings(RATE, COUNT / RATE)
        self.frequency_hz = frequency_hz
        self.level_db = level_db

    @property
    def capabilities(self) -> MediaTrackCapabilities:
        """See InputDevice."""
        return sound_capabilities(RATE, COUNT / RATE, 2, deviceId=self.id, groupId=self.group)

    async def open(self) -> Source:
        """See InputDevice. Raises NotSupportedError without the extra `media`."""
        with media_extra():
            import numpy  # noqa: F401  # said here, not when the first sound is due
        return _ToneSource(self)


class _ToneSource(AudioDeviceSource, PacedSource):
    def __init__(self, device: TestMicrophone) -> None:
        self._device: TestMicrophone = device
        super().__init__(device.label)

    def steps(self) -> Steps:
        for index in ticks(RATE / COUNT):
            frame = tone(index * COUNT, COUNT, self._device.frequency_hz, rate=RATE, level_db=self._device.level_db)
            yield Step(frame.time_s, partial(self.deliver, frame))
