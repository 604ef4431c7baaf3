"""Fixtures of the end-to-end suite: a server, a browser, people in it, and their calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from e2e.chromium import launch
from e2e.invitations import Invite, invitations, present
from e2e.people import Person, connect
from system.server_process import ServerProcess, standalone

expect.set_options(timeout=10_000)

HERE = Path(__file__).parent
Two = tuple[Person, Person]
_failed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", type=Path, metavar="DIR", help="save pictures of the page's states into DIR")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "settings(**tables): settings of the server, signaling={'ring_s': 2}")
    config.addinivalue_line("markers", "pictures: takes pictures; runs with --pictures DIR only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One browser for all tests means one event loop for all of them."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    if config.getoption("--pictures", None) is None:
        items[:] = [item for item in items if not (item in ours and item.get_closest_marker("pictures"))]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of its own for each test: names are free, histories empty."""
    marker = request.node.get_closest_marker("settings")
    server = standalone(tmp_path / "server", "--no-db", **(marker.kwargs if marker else {}))
    yield from running(server)


@pytest_asyncio.fixture(loop_scope="session")
async def person(
    request: pytest.FixtureRequest, browser: Browser, server: ServerProcess, tmp_path: Path
) -> AsyncIterator[Invite]:
    """Makes people: see `invitations`."""
    async with invitations(browser, server) as invite:
        yield invite
        await _tell_of_failure(request, tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def two(person: Invite) -> Two:
    """Ann and Bob, registered, each with the other in sight."""
    return await _ann_and_bob(person)


@pytest_asyncio.fixture(loop_scope="session")
async def talking(two: Two) -> Two:
    """Ann has called Bob, and both are connected. For tests that end the call or break something."""
    await connect(*two)
    return two


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    yield from running(standalone(tmp_path_factory.mktemp("shared"), "--no-db"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _shared_two(browser: Browser, shared_server: ServerProcess) -> AsyncIterator[Two]:
    async with invitations(browser, shared_server) as invite:
        yield await _ann_and_bob(invite)


@pytest_asyncio.fixture(loop_scope="session")
async def call(request: pytest.FixtureRequest, _shared_two: Two, tmp_path: Path) -> AsyncIterator[Two]:
    """Ann and Bob in a call that the tests of one file share: each leaves it as it found it."""
    ann, bob = _shared_two
    if [await one.status.inner_text() for one in (ann, bob)] != ["Connected", "Connected"]:
        # The first test of the file; or the one before has broken the call, or has failed.
        for one in (ann, bob):
            await one.page.reload()
        # Who sees somebody is signed in: else the other may be called before he is back.
        await asyncio.gather(ann.sees(bob), bob.sees(ann))
        await connect(ann, bob)
    yield ann, bob
    await _tell_of_failure(request, tmp_path)
    if request.node.stash.get(_failed, False):
        # Nobody knows in what state it has left the pages: the next test begins anew.
        for one in (ann, bob):
            await one.page.reload()


def running(server: ServerProcess) -> Iterator[ServerProcess]:
    """Started, and at the end stopped in good order."""
    server.start()
    yield server
    try:
        assert server.stop() == 0, server.printed()
    finally:
        server.end()


async def _ann_and_bob(invite: Invite) -> Two:
    ann, bob = await asyncio.gather(invite("Ann"), invite("Bob"))
    await asyncio.gather(ann.sees(bob), bob.sees(ann))
    return ann, bob


async def _tell_of_failure(request: pytest.FixtureRequest, folder: Path) -> None:
    """If the test has failed: what everybody saw."""
    if not request.node.stash.get(_failed, False):
        return
    for number, one in enumerate(present):
        picture = folder / f"{number}.png"
        try:
            await one.page.screenshot(path=picture, timeout=3000)
            print(f"{one.name}: {picture}, status {await one.heard()}")
        except Exception as error:  # a crashed or closed page has no picture
            print(f"{one.name}: no picture ({type(error).__name__})")
        print("\n".join(f"  {line}" for line in one.console))
