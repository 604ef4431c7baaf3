"""One key of a telephone as packets: RFC 4733, sections 2.3 and 2.5."""

from __future__ import annotations

from collections.abc import Callable

from peerline.eventloop import set_timeout

__all__ = ["TelephoneEvent"]

_KEYS = "0123456789*#ABCD"
_STEP_MS = 40
# The end is said three times, as nobody says it again if it is lost.
_ENDS = 3
_END = 0x80
_VOLUME = 10  # dBm0 below the loudest


class TelephoneEvent:
    """`send` is called with each payload; all have the timestamp at which the tone began. `over` when it has ended."""

    def __init__(
        self, key: str, duration_ms: int, clock_hz: int, send: Callable[[bytes], None], over: Callable[[], None]
    ) -> None:
        self._code = _KEYS.index(key)
        self._duration_ms = duration_ms
        self._clock_hz = clock_hz
        self._send = send
        self._over = over
        self._lasted_ms = 0

    def start(self) -> None:
        """The first packet leaves now."""
        self._step()

    def _step(self) -> None:
        self._lasted_ms = min(self._lasted_ms + _STEP_MS, self._duration_ms)
        if self._lasted_ms < self._duration_ms:
            self._send(self._payload(is_end=False))
            set_timeout(self._step, _STEP_MS)
            return
        for _ in range(_ENDS):
            self._send(self._payload(is_end=True))
        self._over()

    def _payload(self, *, is_end: bool) -> bytes:
        ticks = min(self._lasted_ms * self._clock_hz // 1000, 0xFFFF)
        return bytes([self._code, (_END if is_end else 0) | _VOLUME]) + ticks.to_bytes(2, "big")
