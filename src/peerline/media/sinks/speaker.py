"""A loudspeaker: the sound of tracks, mixed and played through PortAudio (the package `sounddevice`)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from peerline.errors import NotReadableError, NotSupportedError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.libraries import media_extra
from peerline.media.sinks.playout import Playout

if TYPE_CHECKING:
    from types import TracebackType

    from peerline.media.sink import Frame
    from peerline.media.track import MediaStreamTrack

__all__ = ["Speaker"]

_LOUDEST = 32767


class Speaker:
    """`speaker.add_track(track)`, `speaker.start()`. Tracks may come and go while it plays.

    `device` is its number or a part of its name, as sounddevice has them; None is the usual one. Raises
    NotSupportedError if sounddevice, PortAudio or the extra `media` is missing.
    """

    def __init__(
        self, device: int | str | None = None, *, rate: int = 48000, channels: int = 2, target_ms: int = 40
    ) -> None:
        self._portaudio = _portaudio()
        with media_extra():
            import numpy as np
        self._clip = np.clip
        self._device = device
        self._rate = rate
        self._channels = channels
        self._target_ms = target_ms
        self._voices: dict[MediaStreamTrack, _Voice] = {}
        self._playing: tuple[_Voice, ...] = ()
        self._stream: Any = None

    def add_track(self, track: MediaStreamTrack) -> None:
        """Play it, too. Twice is once. Raises NotSupportedError for pictures."""
        if track.kind != "audio":
            raise NotSupportedError("a loudspeaker plays sound", hint="take the track of kind 'audio'")
        if track not in self._voices:
            voice = self._voices[track] = _Voice(Playout(self._rate, self._channels, target_ms=self._target_ms))
            self._playing = tuple(self._voices.values())
            track.attach_sink(voice)

    def remove_track(self, track: MediaStreamTrack) -> None:
        """Play it no more; nothing happens if it was not played."""
        voice = self._voices.pop(track, None)
        if voice is not None:
            track.detach_sink(voice)
            self._playing = tuple(self._voices.values())

    def start(self) -> None:
        """Open the device and play. Twice is once. Raises NotReadableError if it cannot be opened."""
        if self._stream is not None:
            return
        stream = None
        try:
            stream = self._portaudio.OutputStream(
                samplerate=self._rate,
                channels=self._channels,
                dtype="int16",
                device=self._device,
                latency="low",
                callback=self._fill,
            )
            stream.start()
        except (self._portaudio.PortAudioError, ValueError) as error:
            if stream is not None:
                stream.close()
            raise NotReadableError(
                f"the loudspeaker cannot be opened: {error}", hint="python -m sounddevice lists the devices"
            ) from error
        self._stream = stream

    def stop(self) -> None:
        """Be silent, and let go of the tracks and the device. Twice is fine."""
        for track in list(self._voices):
            self.remove_track(track)
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def __enter__(self) -> Speaker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_playing(self) -> bool:
        """Between `start` and `stop`."""
        return self._stream is not None

    @property
    def underruns(self) -> int:
        """How often a frame of any of the tracks that it plays came too late."""
        return sum(voice.playout.underruns for voice in self._playing)

    def _fill(self, samples: Any, count: int, time: Any, status: Any) -> None:
        """Called by PortAudio on a thread of its own."""
        voices = self._playing
        if len(voices) == 1:
            samples[:] = voices[0].playout.pull(count)
            return
        samples[:] = 0
        if voices:
            mixed = sum(voice.playout.pull(count).astype("int32") for voice in voices)
            samples[:] = self._clip(mixed, -_LOUDEST, _LOUDEST)


class _Voice:
    """One track's sink."""

    def __init__(self, playout: Playout) -> None:
        self.playout = playout

    def takes(self, codec: str) -> bool:
        return False

    def receive(self, frame: Frame) -> None:
        if isinstance(frame, AudioFrame):
            self.playout.push(frame)


def _portaudio() -> Any:
    try:
        return import_module("sounddevice")
    except ModuleNotFoundError as error:
        if error.name != "sounddevice":
            raise
        raise NotSupportedError(
            "a loudspeaker needs the package sounddevice", hint='pip install "peerline[media]"'
        ) from error
    except OSError as error:
        raise NotSupportedError(
            "a loudspeaker needs PortAudio, which is not here", hint="on Debian: apt install libportaudio2"
        ) from error
