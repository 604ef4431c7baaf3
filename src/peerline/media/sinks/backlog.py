"""What waits to be written: frames of all tracks in the order they came; too many, and the oldest are dropped."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

from peerline.media.encoded_frame import EncodedFrame

if TYPE_CHECKING:
    from peerline.media.sink import Frame
    from peerline.media.sinks.lane import Lane

__all__ = ["Arrival", "Backlog"]

# Several seconds of a disk that hangs. Pictures that are not encoded are large, and the encoder is what is too slow.
_MOST_FRAMES = 300
_MOST_PICTURES = 12


class Arrival(NamedTuple):
    """A frame of a track; None says that the track has ended."""

    lane: Lane
    frame: Frame | None
    at_s: float


class Backlog:
    """Filled by any threads, emptied by one."""

    def __init__(self) -> None:
        self.dropped = 0
        self._arrivals: deque[Arrival] = deque()
        self._waiting: Counter[Lane] = Counter()
        self._broken: set[Lane] = set()
        self._is_closed = False
        self._changed = threading.Condition()

    def push(self, arrival: Arrival) -> bool:
        """It never waits. Says whether the lane needs a key frame now, as one of its pictures was dropped."""
        lane, frame, _ = arrival
        with self._changed:
            if self._is_closed:
                return False
            needs_key = frame is not None and self._waiting[lane] >= _limit(frame) and self._drop_oldest(lane)
            self._arrivals.append(arrival)
            self._waiting[lane] += 1
            self._changed.notify()
            return needs_key

    def take(self) -> Arrival | None:
        """The next one, as soon as there is one; None after `close`, when there is no more."""
        with self._changed:
            while True:
                while not self._arrivals:
                    if self._is_closed:
                        return None
                    self._changed.wait()
                arrival = self._arrivals.popleft()
                self._waiting[arrival.lane] -= 1
                if not self._is_useless(arrival):
                    return arrival
                self.dropped += 1

    def __len__(self) -> int:
        """How many wait."""
        return len(self._arrivals)

    def close(self, *, is_dropping: bool = False) -> None:
        """Nothing more is taken in; what waits is still given out, unless it is to be dropped."""
        with self._changed:
            self._is_closed = True
            if is_dropping:
                self.dropped += sum(arrival.frame is not None for arrival in self._arrivals)
                self._arrivals.clear()
            self._changed.notify()

    def _drop_oldest(self, lane: Lane) -> bool:
        index = next(i for i, arrival in enumerate(self._arrivals) if arrival.lane is lane)
        dropped = self._arrivals[index].frame
        del self._arrivals[index]
        self._waiting[lane] -= 1
        self.dropped += 1
        if isinstance(dropped, EncodedFrame) and lane.kind == "video" and lane not in self._broken:
            self._broken.add(lane)
            return True
        return False

    def _is_useless(self, arrival: Arrival) -> bool:
        """Pictures after a dropped one cannot be decoded until one stands alone."""
        lane, frame, _ = arrival
        if lane in self._broken and frame is not None:
            if isinstance(frame, EncodedFrame) and not frame.is_key:
                return True
            self._broken.discard(lane)
        return False


def _limit(frame: Frame) -> int:
    return _MOST_FRAMES if isinstance(frame, EncodedFrame) or hasattr(frame, "samples") else _MOST_PICTURES
