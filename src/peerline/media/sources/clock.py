"""The clock of the sources of this process: what they time alike happened at the same moment."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

__all__ = ["MAX_LATE_S", "now_s", "ticks"]

MAX_LATE_S = 0.25
"""Who is later than this does not catch up any more, but goes on from now."""

_origin_s = time.monotonic()


def now_s() -> float:
    """Seconds since Peerline's sources were imported; only goes forward."""
    return time.monotonic() - _origin_s


def ticks(rate_hz: float) -> Iterator[int]:
    """Numbers of the moments that are due next: number `n` is due at `n / rate_hz`. Those long past are left out."""
    index = math.ceil(now_s() * rate_hz)
    while True:
        yield index
        index += 1
        if now_s() - index / rate_hz > MAX_LATE_S:
            index = math.ceil(now_s() * rate_hz)
