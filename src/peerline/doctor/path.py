"""A picture of the path: me → NAT → server, with what was measured."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest

from peerline.doctor.patient import Facts, Patient
from peerline.doctor.stun.address import Address

_ARROW = " ───► "


def draw(patient: Patient, shown: Callable[[str], str] = str) -> list[str]:
    """Lines of text, three columns wide, or two where there is no NAT. `shown` says what of a cell may be seen."""
    facts = patient.facts
    columns = [_me(facts), _nat(facts), _server(patient)]
    columns = [[shown(cell) for cell in column] for column in columns if column]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for number, row in enumerate(zip_longest(*columns, fillvalue="")):
        between = _ARROW if number == 1 else " " * len(_ARROW)
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(between.join(cells).rstrip())
    return lines


def _me(facts: Facts) -> list[str]:
    return ["me", text(facts.local) if facts.local is not None else "this machine"]


def _nat(facts: Facts) -> list[str]:
    """Empty where nothing is translated."""
    behaviour = facts.behaviour
    mapped = behaviour.mapped if behaviour is not None else facts.mapped
    local = behaviour.local if behaviour is not None else facts.local
    lines = []
    if mapped is not None and local is not None and mapped[0] != local[0]:
        lines = ["NAT", text(mapped)]
        if behaviour is not None:
            lines.append(str(behaviour.type or "type unknown"))
    if facts.is_udp_blocked:
        lines = [*(lines or ["firewall", ""]), "no UDP passes"]
    return lines


def _server(patient: Patient) -> list[str]:
    facts = patient.facts
    lines = ["server", patient.address or facts.server or "?"]
    by_what: dict[str, list[str]] = {}
    for key, rtt_s in facts.round_trips_s.items():
        what, _, transport = key.partition(" ")
        by_what.setdefault(what, []).append(f"{transport.upper()} {rtt_s * 1000:.1f} ms".lstrip())
    lines += [f"{what}  {', '.join(measured)}" for what, measured in by_what.items()]
    relayed = sorted(set(facts.relayed.values()))
    if relayed:
        lines.append(f"relayed address {text(relayed[0])}")
    return lines


def text(address: Address) -> str:
    """As it is written in a URL."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
