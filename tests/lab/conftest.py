"""Fixtures of the lab's own tests: each runs in the kernel's lab and in the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.relays import RELAYS
from lab.worlds import KernelWorld, SimulatedWorld, World
from peerline.lab.plugin import natlab as natlab
from peerline.lab.sim import Network


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--matrix", type=Path, metavar="FILE", help="let browsers call each other through all NATs; write the table"
    )
    parser.addoption("--turn", choices=sorted(RELAYS), default="peerline", help="the TURN server of the matrix")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "matrix: browsers call each other through all NATs; runs with --matrix FILE only"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--matrix", None) is None:
        items[:] = [item for item in items if not item.get_closest_marker("matrix")]


@pytest.fixture(params=["kernel", "simulator"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An internet; the test neither knows nor cares which sort."""
    world: World
    if request.param == "kernel":
        world = KernelWorld(request.getfixturevalue("natlab"))
    else:
        world = SimulatedWorld(Network(seed=1))
    yield world
    world.close()
