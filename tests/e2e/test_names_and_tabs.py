"""Who owns a name, and several tabs of one person."""

from __future__ import annotations

from playwright.async_api import expect

from e2e.conftest import Two
from e2e.invitations import Invite
from e2e.media import expect_media
from e2e.people import Person, connect


async def test_a_name_that_a_stranger_has_is_refused_clearly(person: Invite, two: Two) -> None:
    ann, bob = two
    stranger = await person("Stranger", register=False)
    for name in ("Ann", "ann"):
        await stranger.ask_for(name)
        await expect(stranger.page.get_by_role("alert")).to_contain_text("taken")
        await expect(stranger.people).to_have_count(0)
    await connect(ann, bob)
    await stranger.register("Cleo")


async def test_a_reload_signs_in_again_under_the_same_name(two: Two) -> None:
    ann, bob = two
    await bob.page.reload()
    await bob.sees(ann)
    await ann.sees(bob)
    await connect(ann, bob)


async def test_a_duplicated_tab_leaves_the_original_in_its_call(talking: Two) -> None:
    ann, bob = talking
    async with ann.page.expect_popup() as opening:
        # Not noopener: the new tab gets a copy of sessionStorage, as by "Duplicate tab".
        await ann.page.evaluate("void window.open(location.href)")
    copy = Person("Ann", await opening.value)
    await expect(copy.call_button(bob)).to_be_visible()
    await expect_media(ann.page, bob.page)
    await ann.reads("Connected")
    await ann.hang_up()
    await bob.reads("Call ended")


async def test_every_tab_rings_and_the_first_that_accepts_has_the_call(two: Two) -> None:
    ann, bob = two
    async with bob.page.expect_popup() as opening:
        await bob.page.evaluate("void window.open(location.href)")
    other = Person("Bob", await opening.value)
    await other.sees(ann)
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await expect(other.ringing).to_be_visible()
    await other.answer()
    await expect(bob.ringing).to_be_hidden()
    await bob.is_in_lobby()
    await ann.reads("Connected")
    await expect_media(ann.page, other.page)
    await other.hang_up()
    await ann.reads("Call ended")


async def test_declining_in_one_tab_stops_all(two: Two) -> None:
    ann, bob = two
    async with bob.page.expect_popup() as opening:
        await bob.page.evaluate("void window.open(location.href)")
    other = Person("Bob", await opening.value)
    await other.sees(ann)
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await other.answer("Decline")
    await expect(bob.ringing).to_be_hidden()
    await ann.reads("Declined")


async def test_names_of_any_script_and_with_signs_work(person: Invite) -> None:
    ann, bob = await person("安娜 <b>'\"&"), await person("Ольга")
    await connect(ann, bob)
    await expect_media(ann.page, bob.page)
