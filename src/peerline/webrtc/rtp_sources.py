"""Who was heard lately: RTCRtpContributingSource, RTCRtpSynchronizationSource (W3C WebRTC 5.3.1, 5.3.2)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from peerline.webidl import Dictionary, Member, boolean, double, unsigned_long

if TYPE_CHECKING:
    from peerline.engine.media import ReceivedFrame
    from peerline.media.sink import Frame

__all__ = ["RTCRtpContributingSource", "RTCRtpSynchronizationSource", "Sources"]

KEPT_S = 10.0
# A mixer names 15 at once; who names ever new ones fills no memory.
MAX_KEPT = 64
_SILENCE = 127
_ORIGIN_MS = time.time() * 1000 - time.perf_counter() * 1000


class RTCRtpContributingSource(Dictionary):
    """`timestamp` in milliseconds since 1970, `source` the SSRC or CSRC, `audioLevel` from 0 (silence) to 1."""

    timestamp = Member(double, is_required=True)
    source = Member(unsigned_long, is_required=True)
    audioLevel = Member(double)
    rtpTimestamp = Member(unsigned_long, is_required=True)


class RTCRtpSynchronizationSource(RTCRtpContributingSource):
    """The same of a source that sends itself."""

    voiceActivityFlag = Member(boolean)


class Sources:
    """Those of a receiver. Also a sink that only wants frames to come."""

    def __init__(self) -> None:
        self._synchronization: dict[int, tuple[float, ReceivedFrame]] = {}
        self._contributing: dict[int, tuple[float, ReceivedFrame]] = {}

    def heard(self, frames: Sequence[ReceivedFrame]) -> None:
        """Frames have come: of each source the last one counts."""
        now = time.perf_counter()
        for ssrc, frame in {frame.ssrc: frame for frame in frames}.items():
            _put(self._synchronization, ssrc, now, frame)
        for frame in frames:
            for source in frame.sources:
                _put(self._contributing, source, now, frame)

    def synchronization(self) -> list[RTCRtpSynchronizationSource]:
        """The latest first."""
        return [RTCRtpSynchronizationSource(one) for one in _members(self._synchronization)]

    def contributing(self) -> list[RTCRtpContributingSource]:
        """The latest first."""
        return [RTCRtpContributingSource(one) for one in _members(self._contributing)]

    def level(self) -> float | None:
        """How loud the latest one is, from 0 to 1, where it says so."""
        latest = next(reversed(self._synchronization.values()), None)
        return _loudness(latest[1].audio_level) if latest is not None and latest[1].audio_level is not None else None

    def takes(self, codec: str) -> bool:
        """See Sink."""
        return True

    def receive(self, frame: Frame) -> None:
        """See Sink."""


def _loudness(below_full_db: int) -> float:
    return 0.0 if below_full_db >= _SILENCE else float(10 ** (-below_full_db / 20))


def _put(table: dict[int, tuple[float, ReceivedFrame]], source: int, now: float, frame: ReceivedFrame) -> None:
    table.pop(source, None)
    table[source] = (now, frame)
    if len(table) > MAX_KEPT:
        del table[next(iter(table))]


def _members(table: dict[int, tuple[float, ReceivedFrame]]) -> Iterable[dict[str, float | int]]:
    now = time.perf_counter()
    for source, (at, frame) in reversed(table.items()):
        if now - at > KEPT_S:
            break
        members: dict[str, float | int] = {
            "timestamp": _ORIGIN_MS + at * 1000,
            "source": source,
            "rtpTimestamp": frame.timestamp,
        }
        if frame.audio_level is not None:
            members["audioLevel"] = _loudness(frame.audio_level)
        yield members
