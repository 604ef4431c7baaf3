"""Calls through our own relay: nothing but relay candidates is allowed, and picture and sound flow all the same."""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from e2e.chromium import launch
from e2e.conftest import running
from e2e.invitations import Invite, invitations
from e2e.media import expect_picture, expect_sound
from lab.authority import Authority
from lab.route import Route, route_of
from system.server_process import ServerProcess, standalone

LOOPBACK = ("--allow-peer", "127.0.0.0/8", "--allow-peer", "::1/128")


# The page's connections are told of the TURN servers over one transport, and of no other.
_ONLY = """(() => {
  const isIt = (url) => %s;
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(given = {}) {
      const servers = (given.iceServers ?? []).map((one) => ({ ...one, urls: [one.urls].flat().filter(isIt) }));
      super({ ...given, iceServers: servers.filter((one) => one.urls.length > 0) });
    }
  };
})()"""
TRANSPORTS = {
    "udp": 'url.startsWith("turn:") && !url.includes("transport=tcp")',
    "tcp": 'url.startsWith("turn:") && url.includes("transport=tcp")',
    "tls": 'url.startsWith("turns:")',
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("relay")
    certificate = str(authority.issue(["127.0.0.1"], folder / "turn.pem"))
    tls = ("--turn-tls-port", "0", "--turn-cert", certificate, "--turn-key", certificate)
    yield from running(standalone(folder, "--no-db", *LOOPBACK, *tls))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def trusting_browser(authority: Authority) -> AsyncIterator[Browser]:
    """One that trusts the authority of this test."""
    async with async_playwright() as playwright:
        browser = await launch(playwright, home=authority.home())
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def invite(trusting_browser: Browser, relay: ServerProcess) -> AsyncIterator[Invite]:
    async with invitations(trusting_browser, relay) as invite:
        yield invite


def metric(server: ServerProcess, name: str) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_two_who_may_only_use_the_relay_see_and_hear_each_other(
    invite: Invite, relay: ServerProcess, transport: str
) -> None:
    at, only = f"http://127.0.0.1:{relay.port}", _ONLY % TRANSPORTS[transport]
    ann, bob = [
        await invite(name, at=at, query="ice=relay", scripts=(only,))
        for name in (f"Ann {transport}", f"Bob {transport}")
    ]
    await ann.sees(bob)
    await ann.call(bob)
    await bob.answer()
    for one in (ann, bob):
        await one.reads("Connected")
        await expect_picture(one.page)
        await expect_sound(one.page)
        assert await route_of(one.page) == Route("relay", transport)
    assert metric(relay, "peerline_turn_allocations") >= 2
    assert metric(relay, "peerline_turn_relayed_total") > 100
    await ann.hang_up()
    await bob.reads("Call ended")


async def test_the_page_says_when_there_is_no_relay(person: Invite) -> None:
    ann = await person("Ann", query="ice=relay")
    await expect(ann.page.get_by_text("No relay available")).to_be_visible()
    bob = await person("Bob")
    await expect(bob.page.get_by_text("No relay available")).to_have_count(0)
