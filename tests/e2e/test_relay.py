"""Calls through our own relay: nothing but relay candidates is allowed, and picture and sound flow all the same."""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from e2e.conftest import running
from e2e.invitations import Invite, invitations
from e2e.media import expect_picture, expect_sound, sample
from system.server_process import ServerProcess, standalone

LOOPBACK = ("--allow-peer", "127.0.0.0/8", "--allow-peer", "::1/128")


@pytest.fixture
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    yield from running(standalone(tmp_path_factory.mktemp("relay"), "--no-db", *LOOPBACK))


@pytest_asyncio.fixture(loop_scope="session")
async def invite(browser: Browser, relay: ServerProcess) -> AsyncIterator[Invite]:
    async with invitations(browser, relay) as invite:
        yield invite


def metric(server: ServerProcess, name: str) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


async def test_two_who_may_only_use_the_relay_see_and_hear_each_other(invite: Invite, relay: ServerProcess) -> None:
    ann, bob = await invite("Ann", query="ice=relay"), await invite("Bob", query="ice=relay")
    await ann.sees(bob)
    await ann.call(bob)
    await bob.answer()
    for one in (ann, bob):
        await one.reads("Connected")
        await expect_picture(one.page)
        await expect_sound(one.page)
        assert (await sample(one.page)).pair[0] == "relay"
    assert metric(relay, "peerline_turn_allocations") >= 2
    assert metric(relay, "peerline_turn_relayed_total") > 100
    await ann.hang_up()
    await bob.reads("Call ended")


async def test_the_page_says_when_there_is_no_relay(person: Invite) -> None:
    ann = await person("Ann", query="ice=relay")
    await expect(ann.page.get_by_text("No relay available")).to_be_visible()
    bob = await person("Bob")
    await expect(bob.page.get_by_text("No relay available")).to_have_count(0)
