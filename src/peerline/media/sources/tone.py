"""A tone, with a beep each second."""

from __future__ import annotations

from functools import partial

from peerline.errors import RangeError
from peerline.media.audio_frame import AudioFrame
from peerline.media.codecs.libraries import media_extra
from peerline.media.sources.clock import ticks
from peerline.media.sources.generated import frame_size
from peerline.media.sources.paced import PacedSource
from peerline.media.sources.pump import Step, Steps

__all__ = ["Tone", "tone"]

BEEP_S = 0.1


class Tone(PacedSource):
    """`level_db` is the peak, 0 being the loudest. The beep comes when a TestPattern flashes: to hear if lips match.

    Raises RangeError for a frequency that the rate cannot carry, NotSupportedError without the extra `media`.
    """

    def __init__(
        self,
        frequency_hz: float = 440,
        rate: int = 48000,
        channels: int = 1,
        frame_ms: float = 20,
        level_db: float = -20,
        *,
        has_beep: bool = True,
    ) -> None:
        if not 0 < frequency_hz < rate / 4:
            raise RangeError(f"a tone and its octave need a rate of more than four times {frequency_hz} Hz, not {rate}")
        if channels < 1:
            raise RangeError("sound has at least one channel")
        with media_extra():
            import numpy  # noqa: F401  # said here, not when the first sound is due
        self._frequency_hz = frequency_hz
        self._rate = rate
        self._channels = channels
        self._count = frame_size(rate, frame_ms)
        self._level_db = min(level_db, 0.0)
        self._has_beep = has_beep
        super().__init__("tone")

    def steps(self) -> Steps:
        """See PacedSource."""
        for index in ticks(self._rate / self._count):
            frame = tone(
                index * self._count,
                self._count,
                self._frequency_hz,
                rate=self._rate,
                channels=self._channels,
                level_db=self._level_db,
                has_beep=self._has_beep,
            )
            yield Step(frame.time_s, partial(self.deliver, frame))


def tone(
    start: int,
    count: int,
    frequency_hz: float,
    *,
    rate: int = 48000,
    channels: int = 1,
    level_db: float = -20,
    has_beep: bool = True,
) -> AudioFrame:
    """`count` samples from sample `start` on. Pieces of one tone fit together without a click."""
    import numpy as np

    number = np.arange(start, start + count)
    wave = np.sin(2 * np.pi * (number * (frequency_hz / rate) % 1))
    if has_beep:
        # An octave higher and louder: both waves are at zero when a second is full.
        octave = 2 * np.sin(2 * np.pi * (number * (2 * frequency_hz / rate) % 1))
        wave = np.where(number % rate < BEEP_S * rate, octave, wave)
    scaled = (wave * 32767 * 10 ** (level_db / 20)).round().clip(-32768, 32767).astype(np.int16)
    return AudioFrame(np.repeat(scaled[:, None], channels, axis=1), rate, start)
