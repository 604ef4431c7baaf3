"""Fixtures of the end-to-end suite: a server, a browser, people in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from e2e.chromium import launch
from e2e.people import Person, connect, new_page
from system.server_process import ServerProcess, standalone

expect.set_options(timeout=10_000)

HERE = Path(__file__).parent
Invite = Callable[..., Awaitable[Person]]
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
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of its own for each test, so that names are free and histories empty."""
    marker = request.node.get_closest_marker("settings")
    server = standalone(tmp_path / "server", "--no-db", **(marker.kwargs if marker else {}))
    server.start()
    yield server
    try:
        assert server.stop() == 0, server.printed()
    finally:
        server.end()


@pytest_asyncio.fixture(loop_scope="session")
async def person(
    request: pytest.FixtureRequest, browser: Browser, server: ServerProcess, tmp_path: Path
) -> AsyncIterator[Invite]:
    """Makes people: `await person("Ann")` is registered, with a browser context of her own.

    `query` is put behind the page's address, `at` is another address of the server, `register=False` stops at the
    door, `scripts` run before the page's own; the rest are options of the browser context.
    """
    invited: list[Person] = []

    async def invite(
        name: str,
        *,
        query: str = "",
        at: str | None = None,
        register: bool = True,
        scripts: tuple[str, ...] = (),
        context: BrowserContext | None = None,
        **options: Any,
    ) -> Person:
        if context is None:
            options = {"locale": "en-US", "permissions": ["camera", "microphone"]} | options
            context = await browser.new_context(**options)
        one = Person(name, await new_page(context, *scripts))
        invited.append(one)
        await one.page.goto(f"{at or f'http://localhost:{server.port}'}/{query and '?' + query}")
        if register:
            await one.register()
        return one

    yield invite
    if request.node.stash.get(_failed, False):
        await _show(invited, server, tmp_path)
    for one in invited:
        await one.page.context.close()
    errors = [f"{one.name}: {crash}" for one in invited for crash in one.crashes]
    assert not errors, "uncaught errors in the page"


async def _show(people: list[Person], server: ServerProcess, folder: Path) -> None:
    """What everybody saw when the test failed."""
    for number, one in enumerate(people):
        picture = folder / f"{number}-{one.name}.png"
        try:
            await one.page.screenshot(path=picture, timeout=3000)
            print(f"{one.name}: {picture}, status {await one.heard()}")
        except Exception as error:  # a crashed or closed page has no picture
            print(f"{one.name}: no picture ({error})")
        print("\n".join(f"  {line}" for line in one.console))
    print(server.printed())


@pytest_asyncio.fixture(loop_scope="session")
async def two(person: Invite) -> tuple[Person, Person]:
    """Ann and Bob, registered, each with the other in sight."""
    ann, bob = await asyncio.gather(person("Ann"), person("Bob"))
    await ann.sees(bob)
    await bob.sees(ann)
    return ann, bob


@pytest_asyncio.fixture(loop_scope="session")
async def talking(two: tuple[Person, Person]) -> tuple[Person, Person]:
    """Ann has called Bob, and both are connected."""
    ann, bob = two
    await connect(ann, bob)
    return ann, bob
