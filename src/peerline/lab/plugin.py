"""The pytest plugin: gives each test that asks for `natlab` an internet of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from peerline.lab import Lab


@pytest.fixture
def natlab() -> Iterator[Lab]:
    """A `peerline.lab.Lab`, removed after the test. Skips the test, saying why, where there can be none."""
    from peerline.lab import Lab, what_is_missing  # this plugin is loaded in runs that never ask for a lab

    missing = what_is_missing()
    if missing is not None:
        pytest.skip(missing)
    with Lab() as lab:
        yield lab
