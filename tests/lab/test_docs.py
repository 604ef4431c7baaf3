"""What docs/nat-lab.md shows does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from peerline.lab import Lab, NatType

PAGE = (Path(__file__).parents[2] / "docs" / "nat-lab.md").read_text()
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


def test_every_type_is_explained() -> None:
    assert len(BLOCKS) >= 2
    assert [str(nat) for nat in NatType if f"`{nat}`" not in PAGE] == []
