"""Two real browsers call each other, behind any two NATs: directly where theory allows it, else through the relay."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, async_playwright

from e2e.chromium import CHROMIUM, FLAGS
from e2e.invitations import invitations
from e2e.media import expect_media
from e2e.people import Person
from e2e.waiting import until
from lab.authority import Authority
from lab.matrix import Pair, cell, page
from lab.relays import RELAYS
from lab.route import Route, route_of
from peerline.lab import Host, Lab, NatType, is_direct
from system.server_process import PEERLINE, ServerProcess, write_settings

pytestmark = pytest.mark.matrix

PAIRS = list(itertools.combinations_with_replacement(NatType, 2))
_CONNECT_S = 40.0  # a browser gives the ways that a firewall swallows their time


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def home(authority: Authority) -> Path:
    return authority.home()


@pytest.fixture(scope="module")
def browser_name() -> list[str]:
    return []


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, browser_name: list[str]) -> Iterator[dict[Pair, str]]:
    """What came out so far; once all pairs have been tried, the table is written."""
    results: dict[Pair, str] = {}
    yield results
    if len(results) == len(PAIRS):
        request.config.getoption("--matrix").write_text(
            page(results, browser_name[-1], request.config.getoption("--turn"))
        )


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{a} and {b}" for a, b in PAIRS])
async def test_a_call_goes_directly_where_theory_allows_it_and_through_the_relay_elsewhere(
    one: NatType,
    other: NatType,
    natlab: Lab,
    authority: Authority,
    home: Path,
    found: dict[Pair, str],
    browser_name: list[str],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        outside = natlab.host("server", addresses=2)
        relay = RELAYS[request.config.getoption("--turn")]
        server = _serve(outside, authority, tmp_path / "server", relay.serve_flags)
        stack.callback(server.end)
        url = f"https://{outside.address}:{server.start().port}"
        certificate = authority.issue(outside.addresses, tmp_path / "relay.pem")
        tell_of_relay = await stack.enter_async_context(relay.run(outside, certificate, tmp_path))

        playwright = await stack.enter_async_context(async_playwright())
        people: list[Person] = []
        for name, nat in (("Ann", one), ("Bob", other)):
            browser = await _browse(playwright, natlab.behind(nat).host(name), home, tmp_path)
            stack.push_async_callback(browser.close)
            browser_name.append(f"Chromium {browser.version.partition('.')[0]}")
            invite = await stack.enter_async_context(invitations(browser, server))
            people.append(await invite(name, at=url, scripts=(tell_of_relay,)))
        ann, bob = people

        await ann.sees(bob)
        await ann.call(bob)
        await bob.answer()
        await asyncio.gather(*(person.reads("Connected", within_s=_CONNECT_S) for person in people))
        await expect_media(ann.page, bob.page)
        # The first way that works carries the call until the best has been found.
        routes = await until(
            "the way that theory knows", lambda: _routes(ann, bob), lambda now: _is_best(one, other, now)
        )
        found[one, other] = cell(routes)
        await ann.hang_up()
        await bob.reads("Call ended")


def _serve(host: Host, authority: Authority, folder: Path, more: tuple[str, ...]) -> ServerProcess:
    """`peerline serve` with HTTPS, by a certificate that the browsers trust."""
    settings = write_settings(folder)
    authority.issue([host.address], folder / "lan" / "server.pem")
    flags = ["serve", "--lan", "--host", host.address, "--no-db", "--data-dir", str(folder), "--config", str(settings)]
    return ServerProcess(folder, host.command(PEERLINE, *flags, *more))


async def _browse(playwright: Playwright, host: Host, home: Path, folder: Path) -> Browser:
    """A browser in that host, driven from here: its pipe does not care where it runs."""
    launcher = host.write_launcher(folder / f"chromium-{host.name}", CHROMIUM)
    return await playwright.chromium.launch(
        executable_path=launcher, args=list(FLAGS), env={**os.environ, "HOME": str(home)}
    )


async def _routes(ann: Person, bob: Person) -> tuple[Route, Route]:
    return await route_of(ann.page), await route_of(bob.page)


def _is_best(one: NatType, other: NatType, routes: tuple[Route, Route]) -> bool:
    """Direct where that can be; and whoever must use the relay speaks UDP with it, or TLS if no UDP passes."""
    if is_direct(one, other):
        return all(route.kind != "relay" for route in routes)
    return any(route.kind == "relay" for route in routes) and all(
        route == Route("relay", "tls") if nat is NatType.UDP_BLOCKED else route.relay in (None, "udp")
        for nat, route in zip((one, other), routes, strict=True)
    )
