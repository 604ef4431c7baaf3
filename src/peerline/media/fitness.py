"""How far settings are from what was asked for: the fitness distance (Media Capture and Streams, section 11.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]


def distance(settings: Settings, name: str, wish: Any, *, is_bare_exact: bool = False) -> float:
    """Of one property: 0 is perfect, infinity is refused. A bare value is an ideal one, or an exact one if so said."""
    wishes = wish if isinstance(wish, Mapping) else {"exact" if is_bare_exact else "ideal": wish}
    value = settings.get(name)
    required = {key: wishes[key] for key in ("min", "max", "exact") if key in wishes and wishes[key] != []}
    if required and (value is None or not _satisfies(value, required)):
        return math.inf
    ideal = wishes.get("ideal")
    if ideal is None or ideal == []:
        return 0.0
    if value is None:
        return 1.0
    if isinstance(value, bool | str):
        return 0.0 if _is_one_of(value, ideal) else 1.0
    return 0.0 if value == ideal else abs(value - ideal) / max(abs(value), abs(ideal))


def is_required(wish: Any) -> bool:
    """Whether something of it must be kept, outside of `advanced`."""
    return isinstance(wish, Mapping) and any(key in wish for key in ("min", "max", "exact"))


def _satisfies(value: Any, required: Mapping[str, Any]) -> bool:
    if "exact" in required and not _is_one_of(value, required["exact"]):
        return False
    if isinstance(value, bool | str):
        return True
    return bool(required.get("min", -math.inf) <= value <= required.get("max", math.inf))


def _is_one_of(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return value in wanted
    # True is not the number 1 here, and aspect ratios are rounded by everybody.
    if isinstance(value, float) and isinstance(wanted, float):
        return math.isclose(value, wanted, rel_tol=1e-9)
    return isinstance(value, bool) is isinstance(wanted, bool) and bool(value == wanted)
