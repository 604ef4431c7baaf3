"""What a participant of a call is, and what it says of what has come."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from interop.end import End

__all__ = ["Participant", "Pictures", "Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What has come so far."""

    at_s: float
    pictures: int
    """That were decoded."""
    heard_s: float
    """Of sound that came, without what was made up in place of what did not."""
    buffered: tuple[float, float]
    """Seconds that pieces of sound have waited, summed up, and how many pieces."""
    freezes: int
    frozen_s: float


class Participant(ABC):
    """`end` is negotiated with; `add_media` comes before that."""

    name: str
    end: End

    @abstractmethod
    async def add_media(self) -> None:
        """Send sound and pictures, and take those of the other."""

    @abstractmethod
    async def sample(self) -> Sample:
        """What has come."""

    async def close(self) -> None:
        """Leave."""
        await self.end.close()


@dataclass
class Pictures:
    """Those that came, and the pauses between them that people notice (webrtc-stats, freezeCount)."""

    count: int = 0
    freezes: int = 0
    frozen_s: float = 0.0
    gaps: list[float] = field(default_factory=list)
    _last: float | None = None

    def came(self) -> None:
        """One more, now."""
        now = time.monotonic()
        if self._last is not None:
            gap = now - self._last
            usual = sum(self.gaps[-30:]) / len(self.gaps[-30:]) if self.gaps else gap
            if gap > max(3 * usual, usual + 0.15):
                self.freezes += 1
                self.frozen_s += gap
            self.gaps.append(gap)
        self._last = now
        self.count += 1
