"""What happens to what is not read in time."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backlog", "DropOldest", "Latest"]


@dataclass(frozen=True, slots=True)
class DropOldest:
    """Keep at most so much of the newest."""

    ms: float = 200

    def frames(self, frame_ms: float) -> int:
        """How many frames that is, one at least."""
        return max(1, round(self.ms / frame_ms))


class _Latest:
    """Keep the newest frame alone."""

    def frames(self, frame_ms: float) -> int:
        """One."""
        return 1

    def __repr__(self) -> str:
        return "Latest"


Latest = _Latest()
"""Keep the newest frame alone."""

Backlog = DropOldest | _Latest
