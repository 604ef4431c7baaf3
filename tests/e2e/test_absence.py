"""Calling somebody who is gone, and what they find when they come back: missed calls and history."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.async_api import Page, WebSocketRoute, expect

from e2e.conftest import Two
from e2e.crash import crash
from e2e.invitations import Invite
from e2e.people import connect


async def _deafen(page: Page) -> Callable[[], None]:
    """From the moment on that the returned function is called, the page hears nothing of who comes and goes."""
    is_deaf = False

    def listen(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            read = json.loads(message)
            if is_deaf and read["t"] == "pres":
                read["d"]["people"] = []
            socket.send(json.dumps(read))

        server.on_message(pass_on)

    def begin() -> None:
        nonlocal is_deaf
        is_deaf = True

    await page.route_web_socket("**/signal", listen)
    await page.reload()
    return begin


async def test_somebody_who_closes_the_page_leaves_the_list(two: Two) -> None:
    ann, bob = two
    await bob.leave_page()
    await expect(ann.call_button(bob)).to_have_count(0)


async def test_calling_somebody_who_left_a_moment_ago_says_not_available_and_they_hear_of_it(person: Invite) -> None:
    ann, bob = await person("Ann", register=False), await person("Bob")
    deafen = await _deafen(ann.page)
    await ann.register()
    await ann.sees(bob)
    deafen()
    # He signs out; a later login is a new one.
    await bob.button("Sign out").click()
    await expect(bob.button("Register")).to_be_visible()
    await ann.call(bob)
    await ann.reads("Not available")
    await ann.is_in_lobby()

    await bob.register()
    missed = bob.page.get_by_role("list", name="Missed calls").get_by_role("listitem")
    await expect(missed).to_have_count(1)
    await expect(missed).to_contain_text("Ann")


async def test_somebody_whose_browser_crashed_is_not_available(two: Two) -> None:
    ann, bob = two
    await crash(bob)
    # For five seconds they are still in the list.
    await ann.call(bob)
    await ann.reads("Not available", within_s=15)
    await ann.is_in_lobby()


async def test_history_lists_the_call_on_both_sides(talking: Two) -> None:
    ann, bob = talking
    await ann.hang_up()
    await bob.reads("Call ended")
    for one, other, kind in ((ann, bob, "Outgoing video call"), (bob, ann, "Incoming video call")):
        row = one.page.get_by_role("list", name="History").get_by_role("listitem")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text(other.name)
        await expect(row).to_contain_text(kind)


async def test_a_call_taken_back_is_missed_at_once_and_seen_once(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await ann.hang_up()
    heading = bob.page.get_by_role("heading", name="Missed calls")
    await expect(heading).to_be_visible()
    await bob.button("Mark as seen").click()
    await expect(heading).to_have_count(0)
    await bob.page.reload()
    await expect(bob.people).to_be_visible()
    await bob.sees(ann)
    await expect(heading).to_have_count(0)


async def test_two_windows_of_one_browser_are_two_people(person: Invite) -> None:
    ann = await person("Ann")
    bob = await person("Bob", context=ann.page.context)
    await ann.sees(bob)
    await connect(bob, ann)
