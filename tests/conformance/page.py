"""The generated part of docs/conformance.md."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from conformance.results import Reason, Run, Shortfall

BEGIN = "<!-- Written by `make conformance` from here on; changes are lost. -->"
END = "<!-- Written by `make conformance` up to here. -->"

Explained = Sequence[tuple[Shortfall, Reason | None]]


def read_aiortc(path: Path) -> Mapping[str, int]:
    """How many subtests of each folder aiortc passed in a run of its own."""
    found: dict[str, dict[str, int]] = json.loads(path.read_text())
    return found["passed"]


def table(ours: Run, chromium: Run, aiortc: Mapping[str, int]) -> list[str]:
    """Totals by folder, in Markdown."""
    own, other = ours.by_folder(), chromium.by_folder()
    lines = ["| folder | subtests | Peerline | Chromium | aiortc |", "|---|---:|---:|---:|---:|"]
    for folder in sorted(own):
        passed, count = own[folder]
        lines.append(f"| {folder} | {count} | {passed} | {other.get(folder, (0, 0))[0]} | {aiortc.get(folder, 0)} |")
    passed, count = ours.total()
    total = (f"**{passed}**", f"**{chromium.total()[0]}**", f"**{sum(aiortc.values())}**")
    lines.append(f"| **all** | **{count}** | {' | '.join(total)} |")
    shares = (100 * n / max(1, count) for n in (passed, chromium.total()[0], sum(aiortc.values())))
    lines.append(f"| | | {' | '.join(f'{share:.1f} %' for share in shares)} |")
    return lines


def generated(ours: Run, chromium: Run, aiortc: Mapping[str, int], missing: Explained) -> str:
    """Everything between the two marks."""
    no_media = [(one, reason) for one, reason in missing if one.is_no_media]
    media = [(one, reason) for one, reason in missing if not one.is_no_media]
    more = sum(len(ours.passed(test) - chromium.passed(test)) for test in ours.tests)
    lines = [BEGIN, "", *table(ours, chromium, aiortc), ""]
    lines += [f"Peerline passes {more} subtests that this Chromium does not.", ""]
    lines += ["## Files that need no media: what Chromium passes and Peerline does not", ""]
    lines += _by_file(no_media, one_by_one=True) or ["Nothing.", ""]
    lines += ["## The other files", ""]
    lines += _by_file(media, one_by_one=False) or ["Nothing.", ""]
    return "\n".join([*lines, END])


def _by_file(missing: Explained, *, one_by_one: bool) -> list[str]:
    lines: list[str] = []
    grouped: dict[str, list[tuple[Shortfall, Reason | None]]] = defaultdict(list)
    for one, reason in missing:
        grouped[one.test].append((one, reason))
    for test, group in grouped.items():
        if one_by_one:
            lines += [f"**{_escape(test.lstrip('/'))}**", ""]
            lines += [f"- {_escape(one.subtest)}: {reason.why if reason else 'not explained'}" for one, reason in group]
            lines.append("")
        else:
            reasons = dict.fromkeys(reason.why if reason is not None else "not explained" for _, reason in group)
            lines.append(f"- {_escape(test.lstrip('/'))}: {len(group)}. {' '.join(reasons)}")
    if lines and not one_by_one:
        lines.append("")
    return lines


def _escape(text: str) -> str:
    for sign in "\\`*_<>[]|":
        text = text.replace(sign, "\\" + sign)
    return text.replace("\n", " ")


def put_into(page: str, part: str) -> str:
    """The page with its generated part replaced. Raises ValueError if its marks are gone."""
    before, found, rest = page.partition(BEGIN)
    _, also_found, after = rest.partition(END)
    if not found or not also_found:
        raise ValueError("the page has lost the marks around its generated part")
    return before + part + after
