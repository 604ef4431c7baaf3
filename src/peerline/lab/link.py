"""One direction of a link, as a machine without a clock: when does a packet arrive, if at all?

The simulator and the lab's own wires (wire.py) ask the same machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from peerline.lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a link is, in one direction. The default is perfect."""

    loss: float = 0.0
    """The share of packets that vanish, 0 to 1, each by itself."""
    rate_bps: float | None = None
    """Bits per second; None: as fast as it goes."""
    delay_s: float = 0.0
    """From one end to the other, besides what the rate and the queue cost."""
    queue_s: float = 0.2
    """How long a packet may wait for its turn where there is a rate; those that would wait longer are dropped."""

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= 1:
            raise LabError(f"loss is a share between 0 and 1, not {self.loss:g}", code="lab_quality")
        if self.rate_bps is not None and not 0 < self.rate_bps < math.inf:
            raise LabError(f"a rate is more than 0 bits per second, not {self.rate_bps:g}", code="lab_quality")
        for what, value in (("delay", self.delay_s), ("queue", self.queue_s)):
            if not 0 <= value < math.inf:
                raise LabError(f"a {what} is 0 seconds or more, not {value:g}", code="lab_quality")

    @property
    def is_perfect(self) -> bool:
        """Nothing is lost and nothing waits."""
        return self.loss == 0 and self.rate_bps is None and self.delay_s == 0


def ways(direction: str) -> tuple[bool, bool]:
    """Whether what a host sends is meant, and whether what it gets. Raises LabError for a word that says neither."""
    if direction not in ("both", "up", "down"):
        raise LabError(f"a direction is both, up or down, not {direction!r}", code="lab_quality")
    return direction != "down", direction != "up"


class Link:
    """One direction of one link."""

    def __init__(self, random: Random, quality: Quality | None = None) -> None:
        self.quality = quality or Quality()
        self._random = random
        self._busy_until = -math.inf

    def carry(self, now: float, size_bytes: int) -> float | None:
        """When a packet that is sent now arrives; None if it is lost or finds the queue full."""
        quality = self.quality
        if quality.loss and self._random.random() < quality.loss:
            return None
        if quality.rate_bps is None:
            return now + quality.delay_s
        turn = max(now, self._busy_until)
        if turn - now > quality.queue_s:
            return None
        self._busy_until = turn + size_bytes * 8 / quality.rate_bps
        return self._busy_until + quality.delay_s
