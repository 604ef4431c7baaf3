"""Token buckets by key, with bounded memory: how often an address may sign in, a person may call."""

from __future__ import annotations

MAX_KEYS = 100_000


class Buckets:
    """One bucket a key, `per_minute` tokens deep, filled evenly. 0 per minute means no limit."""

    def __init__(self, per_minute: int) -> None:
        self._depth = float(per_minute)
        self._per_s = per_minute / 60
        self._levels: dict[str, tuple[float, float]] = {}  # key: level, when

    def take(self, key: str, now: float) -> bool:
        """Take one token of `key`, if there is one."""
        if not self._depth:
            return True
        level, when = self._levels.get(key, (self._depth, now))
        level = min(self._depth, level + (now - when) * self._per_s)
        if level < 1:
            return False
        if len(self._levels) >= MAX_KEYS and key not in self._levels:
            self._forget_full(now)
        self._levels[key] = (level - 1, now)
        return True

    def wait_ms(self, key: str, now: float) -> int:
        """How long until `key` has a token again."""
        level, when = self._levels.get(key, (self._depth, now))
        missing = 1 - min(self._depth, level + (now - when) * self._per_s)
        return max(0, int(missing / self._per_s * 1000)) if self._depth else 0

    def _forget_full(self, now: float) -> None:
        """A bucket that is full again says nothing. If all are in use, the oldest half goes."""
        kept = {k: v for k, v in self._levels.items() if v[0] + (now - v[1]) * self._per_s < self._depth}
        if len(kept) >= MAX_KEYS:
            newest = sorted(kept.items(), key=lambda item: item[1][1])[MAX_KEYS // 2 :]
            kept = dict(newest)
        self._levels = kept
