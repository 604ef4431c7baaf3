"""What a device can be set to, as far as it matters for what is asked (Media Capture and Streams, section 4.3.8).

A range has endlessly many values, but the best one is the usual one, an end of the range, or one that was named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from peerline.media.constraints import DoubleRange, MediaTrackConstraintSet, ULongRange
from peerline.media.select_settings import Group
from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings

Sets = Sequence[MediaTrackConstraintSet]


class CameraMode(NamedTuple):
    """A size and rate that a camera delivers by itself."""

    width: int
    height: int
    frame_rate: float


def choices(
    capabilities: MediaTrackCapabilities, usual: MediaTrackSettings, modes: Sequence[CameraMode], sets: Sets
) -> list[Group]:
    """All groups. What `usual` has without a capability cannot be changed; pictures need `modes`, the usual first."""
    groups: list[Group] = []
    for name, value in usual.items():
        if not (modes and name in _PICTURE):
            groups.append([{name: choice} for choice in _values(capabilities.get(name), value, name, sets)])
    if modes:
        groups.append(list(_pictures(modes, sets)))
    return groups


_PICTURE = ("width", "height", "aspectRatio", "frameRate", "resizeMode")


def _values(capability: Any, usual: Any, name: str, sets: Sets) -> list[Any]:
    if isinstance(capability, list):
        return list(dict.fromkeys([usual, *capability]))
    if isinstance(capability, ULongRange | DoubleRange):
        low, high = capability["min"], capability["max"]
        return list(dict.fromkeys([usual, *_within(low, high, named(name, sets)), low, high]))
    return [usual]


def named(name: str, sets: Sets) -> Iterator[Any]:
    """The numbers that the sets name for a property."""
    for wishes in sets:
        wish = wishes.get(name)
        if isinstance(wish, Mapping):
            yield from (wish[key] for key in ("ideal", "exact", "min", "max") if key in wish)
        elif wish is not None:
            yield wish


def _within(low: float, high: float, values: Iterable[Any]) -> list[Any]:
    return [min(max(value, low), high) for value in values]


def _pictures(modes: Sequence[CameraMode], sets: Sets) -> Iterator[dict[str, Any]]:
    """Native ones first, then what cropping, scaling down and leaving out frames makes of them."""
    for mode in modes:
        yield _picture(mode.width, mode.height, mode.frame_rate, "none")
    for mode in modes:
        widths = [mode.width, *_within(1, mode.width, named("width", sets))]
        heights = [mode.height, *_within(1, mode.height, named("height", sets))]
        ratios = [mode.width / mode.height, *(ratio for ratio in named("aspectRatio", sets) if ratio > 0)]
        rates = list(dict.fromkeys([mode.frame_rate, *_within(1.0, mode.frame_rate, named("frameRate", sets))]))
        sizes = dict.fromkeys((width, height) for width in widths for height in heights)
        for ratio in ratios:
            sizes.update(dict.fromkeys((w, h) for w in widths if 1 <= (h := round(w / ratio)) <= mode.height))
            sizes.update(dict.fromkeys((w, h) for h in heights if 1 <= (w := round(h * ratio)) <= mode.width))
        for width, height in sizes:
            for rate in rates:
                yield _picture(width, height, rate, "crop-and-scale")


def _picture(width: float, height: float, rate: float, mode: str) -> dict[str, Any]:
    return {
        "width": int(width),
        "height": int(height),
        "aspectRatio": round(width / height, 10),
        "frameRate": float(rate),
        "resizeMode": mode,
    }
