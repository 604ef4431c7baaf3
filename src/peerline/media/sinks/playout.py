"""The buffer before a loudspeaker: evens out how frames arrive, makes up for those that do not, adds little delay."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from peerline.errors import RangeError
from peerline.media.codecs.libraries import media_extra
from peerline.media.sinks.shortening import Shortening

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peerline.media.audio_frame import AudioFrame
    from peerline.media.codecs.chunker import Resampler

    Samples = NDArray[np.int16]

__all__ = ["Playout"]

_GROW_S = 0.02
_MOST_TARGET_S = 0.2
# After so long without a gap a little less will do.
_CALM_S = 5.0
_SHRINK_S = 0.005
# What is always left in the buffer for so long is of no use.
_WINDOW_S = 1.0
_SPARE_S = 0.01
# So much too much is taken out even where somebody speaks, now and then.
_URGENT_S = 0.06
_URGENT_PAUSE_S = 0.2


class Playout:
    """For one track and one device. `push` and `pull` may be called on different threads.

    It plays when about `target_s` is there, 40 ms at first. Each gap that a late frame makes adds to the target, calm
    seconds take away from it; a pause that the sender made is no gap. What lies there for longer than it has to is
    taken out where it is quiet. Raises RangeError for a rate, channels or times that are none.
    """

    def __init__(self, rate: int, channels: int = 1, *, target_ms: int = 40, most_ms: int = 500) -> None:
        if rate <= 0 or channels not in (1, 2) or not 0 < target_ms <= most_ms:
            raise RangeError("a playout has a rate, 1 or 2 channels, and a target that is not above the most it keeps")
        with media_extra():
            import numpy as np

            from peerline.media.codecs.concealment import Concealment
        self.underruns = 0
        """How often a frame came too late."""
        self.dropped_s = 0.0
        """Seconds that were thrown away because there was no room."""
        self._rate = rate
        self._channels = channels
        self._base = self._target = rate * target_ms // 1000
        self._most = rate * most_ms // 1000
        self._kept: Samples = np.zeros((0, channels), np.int16)
        self._join = np.concatenate
        self._stack = np.stack
        self._concealments = [Concealment(rate) for _ in range(channels)]
        self._shortening = Shortening(rate)
        self._resampler: tuple[int, Resampler] | None = None
        self._next: tuple[int, int] | None = None  # rate, timestamp
        self._is_playing = False
        self._has_run_dry = False
        self._calm = 0
        self._window = 0
        self._least: int | None = None
        self._excess = 0
        self._since_cut = 0
        self._lock = threading.Lock()

    @property
    def delay_s(self) -> float:
        """Seconds of sound that wait."""
        return len(self._kept) / self._rate

    @property
    def target_s(self) -> float:
        """Seconds of sound that are to wait."""
        return self._target / self._rate

    def push(self, frame: AudioFrame) -> None:
        """The next frame, of any rate and channels."""
        samples = frame.with_channels(self._channels).samples
        with self._lock:
            if self._has_run_dry:
                self._has_run_dry = False
                self._judge_gap(frame)
            self._next = (frame.rate, frame.timestamp + frame.count)
            self._kept = self._join((self._kept, self._resampled(samples, frame.rate)))
            too_much = len(self._kept) - self._most
            if too_much > 0:
                self._kept = self._kept[too_much:]
                self.dropped_s += too_much / self._rate

    def pull(self, count: int) -> Samples:
        """The next samples to be heard, int16 of shape (count, channels); made up, then silent, if there are none."""
        with self._lock:
            if not self._is_playing and len(self._kept) >= max(self._target, count):
                self._is_playing, self._window, self._least, self._excess = True, 0, None, 0
            if not self._is_playing:
                return self._made_up(count)
            self._shorten(count)
            found, self._kept = self._kept[:count], self._kept[count:]
            heard = self._heard(found)
            self._count(count)
            if len(found) < count:
                self._is_playing, self._has_run_dry, self._calm = False, True, 0
                return self._join((heard, self._made_up(count - len(found))))
            return heard

    # How much waits -----------------------------------------------------------------------------------

    def _judge_gap(self, frame: AudioFrame) -> None:
        if self._next is not None and (frame.rate, frame.timestamp) == self._next:
            self.underruns += 1
            most = max(self._base, int(_MOST_TARGET_S * self._rate))
            self._target = min(self._target + int(_GROW_S * self._rate), most)

    def _count(self, count: int) -> None:
        self._calm += count
        if self._calm >= _CALM_S * self._rate:
            self._calm = 0
            self._target = max(self._base, self._target - int(_SHRINK_S * self._rate))
        left = len(self._kept)
        self._least = left if self._least is None else min(self._least, left)
        self._window += count
        self._since_cut += count
        if self._window >= _WINDOW_S * self._rate:
            spare = self._least - self._target
            self._excess = spare if spare > _SPARE_S * self._rate else 0
            self._window, self._least = 0, None

    def _shorten(self, count: int) -> None:
        if self._excess <= 0:
            return
        is_urgent = self._excess > _URGENT_S * self._rate and self._since_cut >= _URGENT_PAUSE_S * self._rate
        shorter = self._shortening.shorten(self._kept, self._excess, only_quiet=not is_urgent)
        taken = len(self._kept) - len(shorter)
        if taken:
            self._kept, self._since_cut = shorter, 0
            self._excess -= taken
            # What the window has seen was before this.
            self._window, self._least = 0, None

    # Samples ------------------------------------------------------------------------------------------

    def _resampled(self, samples: Samples, rate: int) -> Samples:
        if rate == self._rate:
            return samples
        if self._resampler is None or self._resampler[0] != rate:
            from peerline.media.codecs.chunker import Resampler

            self._resampler = (rate, Resampler(rate, self._rate, self._channels))
        return self._resampler[1].resample(samples)

    def _heard(self, samples: Samples) -> Samples:
        if len(samples) == 0:
            return samples
        return self._stack([one.heard(samples[:, at]) for at, one in enumerate(self._concealments)], axis=1)

    def _made_up(self, count: int) -> Samples:
        return self._stack([one.make(count) for one in self._concealments], axis=1)
