"""How long the calls are, and who makes them."""

from __future__ import annotations

import pytest

from interop.conftest import make_end as make_end


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--call-seconds", type=int, default=180, metavar="S", help="how long a call under loss lasts")


@pytest.fixture
def call_seconds(request: pytest.FixtureRequest) -> int:
    """At least four windows of pictures, or there is nothing to compare."""
    seconds = int(request.config.getoption("--call-seconds"))
    if seconds < 20:
        raise pytest.UsageError("--call-seconds is 20 or more")
    return seconds
