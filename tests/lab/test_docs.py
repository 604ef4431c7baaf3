"""What docs/nat-lab.md shows does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from peerline.lab import Lab, NatType, is_direct

DOCS = Path(__file__).parents[2] / "docs"
PAGE, MATRIX = (DOCS / "nat-lab.md").read_text(), (DOCS / "nat-matrix.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_examples_pass(natlab: Lab, tmp_path: Path, number: int) -> None:
    file = tmp_path / "test_example.py"
    file.write_text(BLOCKS[number])
    is_registered = any(one.value == "peerline.lab.plugin" for one in entry_points(group="pytest11"))
    plugin = [] if is_registered else ["-p", "peerline.lab.plugin"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, file], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_matrix_says_what_theory_says() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|(.+)\|$", MATRIX, re.M)
    said = {
        (NatType.named(one), other): cell.strip() == "direct"
        for one, cells in rows
        for other, cell in zip(NatType, cells.split("|"), strict=True)
    }
    assert said == {(one, other): is_direct(one, other) for one in NatType for other in NatType}


def test_every_type_is_explained() -> None:
    assert len(BLOCKS) >= 2
    assert [str(nat) for nat in NatType if f"`{nat}`" not in PAGE] == []
