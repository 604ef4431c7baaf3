"""A microphone of this computer, through PortAudio."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from peerline.errors import NotReadableError
from peerline.media.audio_frame import AudioFrame
from peerline.media.device import InputDevice
from peerline.media.settings import MediaTrackCapabilities
from peerline.media.source import Source
from peerline.media.sources.clock import MAX_LATE_S, now_s
from peerline.media.sources.device_source import AudioDeviceSource
from peerline.media.sources.home_loop import HomeLoop
from peerline.media.sources.sound_devices import SoundDevice, portaudio, streams
from peerline.media.sources.sound_settings import sound_capabilities, sound_settings

__all__ = ["Microphone"]

FRAMES_PER_SECOND = 50


class Microphone(InputDevice):
    """It captures while a track of it is live: at the rate of the device, mono or stereo."""

    kind = "audio"

    def __init__(self, found: SoundDevice) -> None:
        self.id, self.group, self.label = found.id, found.group, found.name
        self.usual = sound_settings(found.rate, found.latency_s)
        self._found = found

    @property
    def capabilities(self) -> MediaTrackCapabilities:
        """See InputDevice."""
        found = self._found
        channels = min(found.input_channels, 2)
        return sound_capabilities(found.rate, found.latency_s, channels, deviceId=self.id, groupId=self.group)

    async def open(self) -> Source:
        """See InputDevice. Raises NotSupportedError without the package sounddevice."""
        source = MicrophoneSource(self, self._found)
        await asyncio.to_thread(source.start)
        return source


class MicrophoneSource(AudioDeviceSource):
    """Sound comes on a thread of PortAudio."""

    def __init__(self, device: Microphone, found: SoundDevice) -> None:
        super().__init__(device.label)
        self._device = device
        self._found = found
        self._home = HomeLoop()
        self._stream: Any = None
        self._next: int | None = None

    def start(self) -> None:
        """Begin to capture; it may take a while. Raises NotReadableError if the device is busy or gone."""
        library = portaudio()
        rate = self._found.rate
        try:
            self._stream = library.InputStream(
                device=self._found.number,
                samplerate=rate,
                channels=min(self._found.input_channels, 2),
                dtype="int16",
                blocksize=rate // FRAMES_PER_SECOND,
                latency="low",
                callback=self._receive,
                finished_callback=self._tell_that_it_is_over,
            )
            streams.add(self._stream)
            self._stream.start()
        except library.PortAudioError as error:
            self._close()
            raise NotReadableError(f"the microphone cannot be opened: {error}") from error

    def stop(self) -> None:
        """See Source."""
        # PortAudio waits for its thread, the event loop must not.
        threading.Thread(target=self._close, name="peerline-microphone", daemon=True).start()

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _receive(self, samples: Any, count: int, times: Any, status: Any) -> None:
        rate = self._found.rate
        now = round(now_s() * rate) - count
        # One piece follows the other, unless some were lost or the computer slept.
        if self._next is None or now - self._next > MAX_LATE_S * rate:
            self._next = max(now, 0)
        frame = AudioFrame(samples.copy(), rate, self._next)
        self._next += count
        self.deliver(frame)

    def _tell_that_it_is_over(self) -> None:
        """The device is gone, or it was closed: then there is no track left to end."""
        self._home.tell(self.end)
