"""What one side of a call has heard and seen, in a few numbers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from statistics import median, quantiles

from slow.call import Side
from slow.participant import Sample
from slow.participants import PeerlineParticipant

__all__ = [
    "buffer_delay_s",
    "delays_s",
    "frozen_share",
    "heard_share",
    "line",
    "lip_differences_s",
    "pictures_of_windows",
    "third",
]


def pictures_of_windows(samples: Sequence[Sample], window_s: int) -> list[int]:
    """New ones in each time of that length, without the first; a rest that is shorter is left out."""
    whole = samples[window_s::window_s]
    return [after.pictures - before.pictures for before, after in itertools.pairwise(whole)]


def third(delays: Mapping[float, float], which: int) -> list[float]:
    """Of the delays of signals those that were sent in the first (0) or the last (2) third of the time."""
    begin, end = min(delays), max(delays)
    length = (end - begin) / 3
    return [delay for sent, delay in delays.items() if begin + which * length <= sent <= begin + (which + 1) * length]


def delays_s(came: Mapping[float, float]) -> dict[float, float]:
    """How long each signal took, by when it was sent."""
    return {sent: at - sent for sent, at in came.items()}


def lip_differences_s(who: PeerlineParticipant) -> list[float]:
    """How much earlier each beep came than the flash that was sent with it."""
    return [at - who.beeps[sent] for sent, at in who.flashes.items() if sent in who.beeps]


def buffer_delay_s(samples: Sequence[Sample]) -> float:
    """How long sound waited to be played, in the last third of the call."""
    first, last = samples[len(samples) * 2 // 3], samples[-1]
    return (last.buffered[0] - first.buffered[0]) / max(1, last.buffered[1] - first.buffered[1])


def heard_share(samples: Sequence[Sample]) -> float:
    """Of the time of the call that part in which there was sound that was not made up."""
    first, last = samples[0], samples[-1]
    return (last.heard_s - first.heard_s) / (last.at_s - first.at_s)


def frozen_share(samples: Sequence[Sample]) -> float:
    """Of the time of the call that part in which pictures stood still."""
    first, last = samples[0], samples[-1]
    return (last.frozen_s - first.frozen_s) / (last.at_s - first.at_s)


def line(side: Side) -> dict[str, str]:
    """For people."""
    first, last = side.samples[0], side.samples[-1]
    elapsed_s = last.at_s - first.at_s
    found = {
        "heard": f"{heard_share(side.samples):.1%}",
        "fps": f"{(last.pictures - first.pictures) / elapsed_s:.1f}",
        "freezes": f"{last.freezes - first.freezes} ({last.frozen_s - first.frozen_s:.1f} s)",
    }
    if last.buffered[1]:
        found["buffer"] = f"{buffer_delay_s(side.samples) * 1000:.0f} ms"
    if isinstance(side.who, PeerlineParticipant) and side.who.beeps:
        delays = delays_s(side.who.beeps)
        found["ear"] = f"{_ms(third(delays, 0))}, at the end {_ms(third(delays, 2))}"
        found["eye"] = _ms(list(delays_s(side.who.flashes).values()))
        found["lips"] = _ms([abs(one) for one in lip_differences_s(side.who)])
    return found


def _ms(values: Sequence[float]) -> str:
    """Median and the 95th percentile."""
    if len(values) < 2:
        return "none"
    return f"{median(values) * 1000:.0f}/{quantiles(values, n=20)[-1] * 1000:.0f} ms"
