"""The documentation points at things that are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()
)  # fmt: skip
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    anchors = {
        re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)
    }
    missing = []
    for link in LINK.findall(text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        if path and not (page.parent / path).exists():
            missing.append(link)
        if not path and anchor not in anchors:
            missing.append(link)
    assert missing == []


def test_every_error_code_of_the_protocol_is_documented() -> None:
    protocol = (ROOT / "docs" / "protocol.md").read_text()
    section = protocol[protocol.index("## 11 Errors") : protocol.index("## 12 Limits")]
    documented = set(re.findall(r"`([a-z_]+)`", section))
    used = set()
    for source in (ROOT / "src" / "peerline").rglob("*.py"):
        if {"signaling", "calls", "presence", "server", "store", "auth"} & set(source.parts):
            used |= set(re.findall(r'code="([a-z_]+)"', source.read_text()))
    assert used
    assert used - documented == set()
