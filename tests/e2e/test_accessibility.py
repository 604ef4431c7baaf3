"""Every state of the page holds up for those who hear it and those who type: names, roles, the one status line."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect

from e2e.conftest import Two
from e2e.inspection import faults
from e2e.invitations import Invite
from e2e.states import states


async def test_every_state_has_one_status_line_and_names_for_everything(person: Invite, tmp_path: Path) -> None:
    found = []
    async for state, one in states(person, tmp_path):
        await expect(one.status).to_have_count(1)
        found += [f"{state}: {fault}" for fault in await faults(one.page)]
    assert found == []


async def _focused(page: Page) -> str:
    name: str = await page.evaluate(
        """() => { const at = document.activeElement;
          return at.getAttribute("aria-label") || at.labels?.[0]?.textContent.trim() || at.textContent.trim(); }"""
    )
    return name


async def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is there."""
    passed: list[str] = []
    while (now := await _focused(page)) != name:
        assert len(passed) < 60, f"{name} is out of the keyboard's reach; passed {passed}"
        passed.append(now[:40])
        await page.keyboard.press("Tab")


async def test_a_call_by_keyboard_alone(person: Invite) -> None:
    ann, bob = await person("Ann", register=False), await person("Bob", register=False)
    for one in (ann, bob):
        await _tab_to(one.page, "Your name")
        await one.page.keyboard.type(one.name)
        await one.page.keyboard.press("Enter")
        await expect(one.people).to_be_visible()
    await ann.sees(bob)
    await _tab_to(ann.page, "Call Bob")
    await ann.page.keyboard.press("Enter")
    await expect(bob.ringing).to_be_visible()
    await _tab_to(bob.page, "Accept")
    await bob.page.keyboard.press("Enter")
    for one in (ann, bob):
        await one.reads("Connected")
    await _tab_to(ann.page, "Mute microphone")
    await ann.page.keyboard.press("Space")
    await expect(ann.button("Unmute microphone")).to_be_focused()
    await _tab_to(ann.page, "Message")
    await ann.page.keyboard.type("typed")
    await ann.page.keyboard.press("Enter")
    await expect(bob.page.get_by_text("typed", exact=True)).to_be_visible()
    await _tab_to(bob.page, "Hang up")
    await bob.page.keyboard.press("Enter")
    for one in (ann, bob):
        await one.reads("Call ended")
        await one.is_in_lobby()


async def test_the_ringing_dialog_takes_the_focus_keeps_it_and_escape_declines(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await expect(bob.ringing.get_by_role("button", name="Accept", exact=True)).to_be_focused()
    for _ in range(6):
        await bob.page.keyboard.press("Tab")
        inside = await bob.page.evaluate("document.activeElement.closest('dialog') !== null || !document.hasFocus()")
        assert inside or await bob.page.evaluate("document.activeElement === document.body")
    await bob.page.keyboard.press("Escape")
    await ann.reads("Declined")


async def test_the_focus_is_never_lost_when_the_page_changes(two: Two) -> None:
    ann, bob = two
    await ann.call_button(bob).focus()
    await ann.page.keyboard.press("Enter")
    await bob.answer()
    await ann.reads("Connected")
    for _ in range(2):
        # In the page that is shown: a moment after that is drawn.
        await ann.page.wait_for_function("document.activeElement.closest('main, dialog') !== null")
        await bob.page.bring_to_front()
        if await ann.button("Hang up").count():
            await ann.button("Hang up").focus()
            await ann.page.keyboard.press("Enter")
            await ann.reads("Call ended")
            await ann.is_in_lobby()


async def test_the_title_says_who_calls(two: Two) -> None:
    ann, bob = two
    await ann.call(bob)
    await expect(bob.ringing).to_be_visible()
    await bob.page.wait_for_function("document.title.includes('Ann')")
