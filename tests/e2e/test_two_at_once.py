"""Two things in the same moment: a double click, two people who call each other, two who call a third."""

from __future__ import annotations

import asyncio
import contextlib

from playwright.async_api import TimeoutError, expect

from e2e.conftest import Two
from e2e.invitations import Invite
from e2e.media import expect_media
from e2e.people import Person
from e2e.waiting import until

# Both pages wait for the same moment of the clock, then click.
_CLICK_AT = """(button, at) => new Promise((resolve) =>
  setTimeout(() => resolve(button.click()), Math.max(0, at - Date.now())))"""


async def click_together(one: Person, other: Person, lag_ms: int = 0) -> None:
    """Each clicks to call the other, in the same millisecond or with this lag."""
    at = await one.page.evaluate("Date.now()") + 500
    await asyncio.gather(
        one.call_button(other).evaluate(_CLICK_AT, at), other.call_button(one).evaluate(_CLICK_AT, at + lag_ms)
    )


async def _connected(one: Person) -> None:
    """A click so late that it had rung already does nothing: then one is asked as usual, and accepts."""
    accept = one.ringing.get_by_role("button", name="Accept", exact=True)

    async def status() -> str:
        if await accept.is_visible():
            with contextlib.suppress(TimeoutError):  # it rings no longer: the two calls became one
                await accept.click(timeout=1000)
        return await one.status.inner_text()

    await until(f"{one.name} is connected", status, lambda read: read == "Connected", within_s=20)


async def test_two_clicks_make_one_call(two: Two) -> None:
    ann, bob = two
    await ann.call_button(bob).evaluate("(button) => { button.click(); button.click(); }")
    await expect(bob.ringing).to_have_count(1)
    await bob.answer()
    await ann.reads("Connected")
    await expect_media(ann.page, bob.page)
    await ann.hang_up()
    for one in two:
        await one.reads("Call ended")
        await one.is_in_lobby()
        await expect(one.page.get_by_role("list", name="History").get_by_role("listitem")).to_have_count(1)


async def test_two_clicks_on_accept_and_on_hang_up_do_no_harm(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    twice = "(button) => { button.click(); button.click(); }"
    await bob.ringing.get_by_role("button", name="Accept", exact=True).evaluate(twice)
    await ann.reads("Connected")
    await bob.reads("Connected")
    assert await bob.live_connections() == 1
    await ann.button("Hang up").evaluate(twice)
    for one in two:
        await one.reads("Call ended")


async def test_two_who_call_each_other_are_connected_without_accepting(two: Two) -> None:
    ann, bob = two
    for lag_ms in (0, 0, 1, 2, 5, 10, 20):
        await click_together(ann, bob, lag_ms)
        await asyncio.gather(*(_connected(one) for one in two))
        await expect_media(ann.page, bob.page)
        for one in two:
            assert await one.live_connections() == 1
            await expect(one.ringing).to_have_count(0)
        await ann.hang_up()
        for one in two:
            await one.reads("Call ended")
            await one.is_in_lobby()


async def test_of_two_who_call_a_third_one_gets_through(person: Invite, two: Two) -> None:
    ann, bob = two
    cleo = await person("Cleo")
    await asyncio.gather(ann.call(cleo), bob.call(cleo))
    await expect(cleo.ringing).to_be_visible()
    words = {ann: "", bob: ""}
    for one in words:
        await one.reads("Ringing…", "Busy")
        words[one] = await one.status.inner_text()
    assert sorted(words.values()) == ["Busy", "Ringing…"]
    await cleo.answer()
    lucky = next(one for one, word in words.items() if word == "Ringing…")
    await lucky.reads("Connected")
    await expect_media(lucky.page, cleo.page)


async def test_a_call_taken_back_while_it_is_accepted_leaves_nobody_behind(two: Two) -> None:
    ann, bob = two
    for _ in range(3):
        await ann.call(bob)
        await expect(bob.ringing).to_be_visible()
        await asyncio.gather(
            bob.ringing.get_by_role("button", name="Accept", exact=True).evaluate("(button) => button.click()"),
            ann.button("Hang up").evaluate("(button) => button.click()"),
        )
        for one in two:
            await one.reads("Call ended")
            await one.is_in_lobby()
            assert await one.live_connections() == 0
