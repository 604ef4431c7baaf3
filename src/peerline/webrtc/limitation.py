"""What keeps pictures from being better, and for how long it did (Statistics API, RTCQualityLimitationReason)."""

from __future__ import annotations

import time

__all__ = ["Limitation"]


class Limitation:
    """Of one stream."""

    def __init__(self) -> None:
        self.reason = "none"
        self._lasted_s = {"none": 0.0, "cpu": 0.0, "bandwidth": 0.0, "other": 0.0}
        self._since = time.perf_counter()

    def turn(self, reason: str) -> None:
        """From now on it is this."""
        self._lasted_s = self.durations()
        self.reason, self._since = reason, time.perf_counter()

    def durations(self) -> dict[str, float]:
        """Seconds of each reason, until now."""
        lasted_s = dict(self._lasted_s)
        lasted_s[self.reason] += time.perf_counter() - self._since
        return lasted_s
