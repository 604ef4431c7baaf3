"""When a frame is to be played in a recording: by its timestamp, which begins anywhere, and by when it arrived."""

from __future__ import annotations

__all__ = ["Timeline"]

# Of so much time the frame counts that was under way least: the others waited somewhere.
_WINDOW_S = 2.0
# Less is not seen, and no network is that even.
_TOLERANCE_S = 0.04
# Seconds corrected in a second: nobody hears it.
_SLEW = 0.02
# Timestamps that stood still so long were stopped; that much more than the time that went by, they are others.
_STOPPED_S = 1.0
_JUMP_S = 10.0


class Timeline:
    """Of one track. All timelines of a recording have the same zero, a time of the clock that tells arrivals."""

    def __init__(self, zero_s: float) -> None:
        self._zero_s = zero_s
        self._offset_s: float | None = None
        self._last_time_s = 0.0
        self._last_arrival_s = 0.0
        self._last_placed_s = 0.0
        self._window_start_s = 0.0
        self._least_late_s: float | None = None
        self._correction_s = 0.0

    def place(self, time_s: float, arrival_s: float) -> float:
        """Seconds from the beginning of the recording; never less than before.

        `time_s` is the frame's timestamp in seconds. The first frame is placed where it arrived and the others follow
        it by their timestamps. If these drift away from the arrivals, they are led back slowly.
        """
        arrived_s = arrival_s - self._zero_s
        if self._offset_s is None:
            self._anchor(arrived_s, time_s, arrival_s)
        else:
            elapsed_s = arrival_s - self._last_arrival_s
            step_s = time_s - self._last_time_s
            if step_s < 0 or step_s > elapsed_s + _JUMP_S:
                self._anchor(max(arrived_s, self._last_placed_s), time_s, arrival_s)
            else:
                self._follow(arrived_s - time_s, elapsed_s, arrival_s)
        assert self._offset_s is not None
        self._last_time_s, self._last_arrival_s = time_s, arrival_s
        self._last_placed_s = max(time_s + self._offset_s, self._last_placed_s)
        return self._last_placed_s

    def _anchor(self, placed_s: float, time_s: float, arrival_s: float) -> None:
        self._offset_s = placed_s - time_s
        self._window_start_s = arrival_s
        self._least_late_s = None
        self._correction_s = 0.0

    def _follow(self, arrived_offset_s: float, elapsed_s: float, arrival_s: float) -> None:
        assert self._offset_s is not None
        if arrival_s - self._window_start_s >= _WINDOW_S:
            self._judge()
            self._window_start_s, self._least_late_s = arrival_s, None
        most_s = _SLEW * max(elapsed_s, 0.0)
        step_s = min(max(self._correction_s, -most_s), most_s)
        self._offset_s += step_s
        self._correction_s -= step_s
        late_s = arrived_offset_s - self._offset_s
        self._least_late_s = late_s if self._least_late_s is None else min(self._least_late_s, late_s)

    def _judge(self) -> None:
        error_s = self._least_late_s
        if error_s is None:
            return
        assert self._offset_s is not None
        if error_s > _STOPPED_S:
            self._offset_s += error_s
            self._correction_s = 0.0
        else:
            self._correction_s = error_s if abs(error_s) > _TOLERANCE_S else 0.0
