"""What the doctor says: lines for people, or JSON for programs; without addresses where they are nobody's business."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from peerline.doctor.check import Check, State
from peerline.doctor.examination import verdict
from peerline.doctor.path import draw, text
from peerline.doctor.patient import Patient

MARKS = {State.OK: "✓", State.WARNING: "!", State.FAILED: "✗", State.UNKNOWN: "·"}
_COLOURS = {State.OK: "32", State.WARNING: "33", State.FAILED: "31", State.UNKNOWN: "2"}
_MAY_BE_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w.])"
)
_TITLE_WIDTH = 26


class Ink:
    """Colour, on a terminal only."""

    def __init__(self, *, is_coloured: bool) -> None:
        self._is_coloured = is_coloured

    def paint(self, words: str, state: State) -> str:
        """In the colour of this state."""
        return f"\x1b[{_COLOURS[state]}m{words}\x1b[0m" if self._is_coloured else words


def lines_of(check: Check, ink: Ink, *, with_log: bool) -> list[str]:
    """Mark, title and summary; below it what was seen, where that is wanted or the check failed, and the fix."""
    assert check.outcome is not None
    state, outcome = check.state, check.outcome
    lines = [f"{ink.paint(MARKS[state], state)} {check.title.ljust(_TITLE_WIDTH)} {outcome.summary}"]
    indent = " " * (_TITLE_WIDTH + 3)
    if with_log or state is State.FAILED:
        lines += [f"{indent}{ink.paint(line, State.UNKNOWN)}" for line in check.log]
    if outcome.fix is not None:
        lines.append(f"{indent}→ {outcome.fix}")
    return lines


def as_json(patient: Patient, checks: Sequence[Check]) -> dict[str, Any]:
    """All that is known, without secrets."""
    facts = patient.facts
    behaviour = facts.behaviour
    return {
        "server": str(patient.server) if patient.server is not None else None,
        "verdict": verdict(checks).value,
        "checks": [_check_as_json(check) for check in checks],
        "path": {
            "local": text(facts.local) if facts.local is not None else None,
            "mapped": text(facts.mapped) if facts.mapped is not None else None,
            "nat": str(behaviour.type) if behaviour is not None and behaviour.type is not None else None,
            "mapping": behaviour.mapping if behaviour is not None else None,
            "filtering": behaviour.filtering if behaviour is not None else None,
            "is_udp_blocked": facts.is_udp_blocked,
            "server": patient.address or facts.server or None,
            "relayed": {transport: text(address) for transport, address in facts.relayed.items()},
            "round_trips_ms": {what: round(rtt_s * 1000, 3) for what, rtt_s in facts.round_trips_s.items()},
        },
        "picture": draw(patient),
    }


def _check_as_json(check: Check) -> dict[str, Any]:
    outcome = check.outcome
    return {
        "name": check.name,
        "title": check.title,
        "state": check.state.value,
        "summary": outcome.summary if outcome is not None else "",
        "fix": outcome.fix if outcome is not None else None,
        "log": check.log,
        "took_ms": round(check.took_s * 1000, 1),
    }


def without_addresses(words: str) -> str:
    """The same with every IP address but loopback's replaced; networks such as 10.0.0.0/8 that stand in a fix stay."""

    def replace(match: re.Match[str]) -> str:
        found = match[0]
        try:
            ip = ipaddress.ip_address(found)
        except ValueError:
            return found
        return found if ip.is_loopback or ip.is_unspecified else "ADDRESS"

    return _MAY_BE_ADDRESS.sub(replace, words)
