"""A browser tab that is killed mid-call, one that comes back, and one that is closed."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from e2e.conftest import Two
from e2e.crash import crash
from e2e.media import expect_media


async def test_a_killed_tab_is_waited_for_and_then_given_up(talking: Two) -> None:
    ann, bob = talking
    loop = asyncio.get_running_loop()
    await crash(bob)
    killed = loop.time()
    await ann.reads("Reconnecting…", within_s=10)
    await ann.reads("Call ended", within_s=30 - (loop.time() - killed))
    await ann.is_in_lobby()


async def test_a_killed_tab_that_is_reloaded_at_once_returns_into_the_call(talking: Two) -> None:
    ann, bob = talking
    tab = await crash(bob)
    await tab.reload()
    await tab.reads("Connected", within_s=20)
    await ann.reads("Connected", within_s=20)
    await expect_media(ann.page)
    await tab.expect_media()
    assert "Call ended" not in await ann.heard()
    await tab.click("Hang up")
    await ann.reads("Call ended")


async def test_the_caller_s_killed_tab_returns_after_the_other_has_noticed(talking: Two) -> None:
    ann, bob = talking
    tab = await crash(ann)
    await bob.reads("Reconnecting…", within_s=10)
    await tab.reload()
    await tab.reads("Connected", within_s=20)
    await bob.reads("Connected", within_s=20)
    await expect_media(bob.page)


async def test_closing_the_page_ends_the_call_at_once(talking: Two) -> None:
    ann, bob = talking
    await bob.leave_page()
    await ann.reads("Call ended", within_s=10)
    assert "Reconnecting…" not in await ann.heard()


async def test_leaving_for_another_page_ends_the_call_at_once(talking: Two) -> None:
    ann, bob = talking
    await bob.page.goto("about:blank")
    await ann.reads("Call ended", within_s=10)
    assert "Reconnecting…" not in await ann.heard()


async def test_a_caller_who_closes_the_page_stops_the_ringing(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await ann.leave_page()
    await expect(bob.ringing).to_be_hidden(timeout=10_000)
    await bob.is_in_lobby()
