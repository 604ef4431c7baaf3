"""The server dies and comes back: what flows between two pages does not care."""

from __future__ import annotations

from playwright.async_api import expect

from e2e.conftest import Two
from e2e.media import expect_media
from e2e.people import connect
from system.server_process import ServerProcess


async def test_a_call_outlives_a_server_that_is_killed_and_either_side_can_still_hang_up(
    talking: Two, server: ServerProcess
) -> None:
    ann, bob = talking
    server.kill()
    for one in talking:
        await expect(one.page.get_by_role("alert")).to_contain_text("The server is out of reach")
        await expect(one.status).to_have_text("Connected")
    await expect_media(ann.page, bob.page)
    server.start()
    for one in talking:
        await expect(one.page.get_by_role("alert")).to_have_count(0, timeout=20_000)
    await expect_media(ann.page, bob.page)
    for one in talking:
        await expect(one.status).to_have_text("Connected")
        assert "Reconnecting…" not in await one.heard()
    await bob.hang_up()
    for one in talking:
        await one.reads("Call ended")
        await one.is_in_lobby()
    await connect(bob, ann)


async def test_hanging_up_while_the_server_is_down_ends_the_call_when_it_is_back(
    talking: Two, server: ServerProcess
) -> None:
    ann, bob = talking
    server.kill()
    await ann.hang_up()
    await ann.reads("Call ended")
    await ann.is_in_lobby()
    server.start()
    await bob.reads("Call ended", within_s=30)


async def test_a_server_that_is_told_to_stop_sends_everybody_to_its_successor(
    talking: Two, server: ServerProcess
) -> None:
    ann, bob = talking
    assert server.stop() == 0
    server.start()
    await expect_media(ann.page, bob.page)
    await ann.hang_up()
    for one in talking:
        await one.reads("Call ended", within_s=20)
    await ann.sees(bob)


async def test_a_server_that_comes_back_finds_everybody_in_the_lobby_again(two: Two, server: ServerProcess) -> None:
    ann, bob = two
    server.kill()
    await expect(ann.page.get_by_role("alert")).to_contain_text("The server is out of reach")
    server.start()
    for one in two:
        await expect(one.page.get_by_role("alert")).to_have_count(0, timeout=20_000)
    await ann.sees(bob)
    await connect(ann, bob)
