"""Which settings satisfy what was asked for: SelectSettings (Media Capture and Streams, section 11.1).

Properties that depend on each other form a group: a list of the settings it can have, the usual one first. What the
whole can have is every combination of the groups; each is chosen by itself, since the distance is a sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from peerline.media.constraints import MediaTrackConstraints, MediaTrackConstraintSet, applies
from peerline.media.fitness import distance, is_required
from peerline.media.overconstrained import OverconstrainedError
from peerline.media.settings import MediaTrackSettings

Group = Sequence[dict[str, Any]]

# What decides what else is possible comes first: if no native size fits, the size is to blame, not "resizeMode".
_DECIDES = ("deviceId", "groupId", "facingMode", "resizeMode")


def select(groups: Sequence[Group], constraints: MediaTrackConstraints, kind: str) -> tuple[MediaTrackSettings, float]:
    """The settings with the smallest distance, and the distance. Raises OverconstrainedError if there are none."""
    basic = wishes_of(constraints, kind)
    absent = {name: wish for name, wish in basic.items() if not any(name in group[0] for group in groups)}
    for name, wish in absent.items():
        if distance({}, name, wish) == math.inf:
            raise OverconstrainedError(name, f"there is no {name} to be set here")
    left = [_keep(group, basic) for group in groups]
    for advanced in constraints.get("advanced", ()):
        left = _keep_if_any(left, wishes_of(advanced, kind))
    chosen: dict[str, Any] = {}
    for group in left:
        nearest: dict[str, Any] = min(group, key=lambda settings: _distance(settings, basic))
        chosen.update(nearest)
    return MediaTrackSettings(chosen), sum(distance(chosen, name, wish) for name, wish in basic.items())


def wishes_of(constraints: MediaTrackConstraintSet, kind: str) -> MediaTrackConstraintSet:
    """One set, without what is no property of that kind of track."""
    kept = {name: wish for name, wish in constraints.items() if name != "advanced" and applies(name, kind)}
    return MediaTrackConstraintSet(kept)


def _distance(settings: dict[str, Any], wishes: MediaTrackConstraintSet) -> float:
    """Of the properties that these settings have: those of their group."""
    return sum(distance(settings, name, wishes[name]) for name in settings if name in wishes)


def _keep(group: Group, wishes: MediaTrackConstraintSet) -> Group:
    """What satisfies the required constraints. Raises OverconstrainedError naming the one that leaves nothing."""
    for name in [name for name in (*_DECIDES, *wishes) if name in wishes and name in group[0]]:
        if is_required(wishes[name]):
            kept = [settings for settings in group if distance(settings, name, wishes[name]) < math.inf]
            if not kept:
                raise OverconstrainedError(name, f"no settings of this device satisfy what is asked of {name}")
            group = kept
    return group


def _keep_if_any(groups: list[Group], wishes: MediaTrackConstraintSet) -> list[Group]:
    """What satisfies an advanced set as a whole; everything, if nothing does."""

    def fits(settings: dict[str, Any], name: str) -> bool:
        return distance(settings, name, wishes[name], is_bare_exact=True) < math.inf

    if not all(any(name in group[0] for group in groups) or fits({}, name) for name in wishes):
        return groups
    kept = [[x for x in group if all(fits(x, name) for name in x if name in wishes)] for group in groups]
    return [*kept] if all(kept) else groups
