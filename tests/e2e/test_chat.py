"""Text chat, directly from page to page."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from e2e.conftest import Two
from e2e.people import Person


async def _say(person: Person, text: str) -> None:
    await person.page.get_by_role("textbox", name="Message", exact=True).fill(text)
    await person.button("Send").click()


@pytest.mark.parametrize("text", ["Hello Bob!", "你好 👋 <b>&amp;</b>", "x" * 8000], ids=["plain", "signs", "long"])
async def test_a_message_stands_once_on_both_sides(call: Two, text: str) -> None:
    ann, _ = call
    await _say(ann, text)
    for one in call:
        await expect(one.page.get_by_text(text, exact=True)).to_have_count(1)
    await expect(ann.page.get_by_role("textbox", name="Message", exact=True)).to_have_value("")


async def test_messages_of_both_keep_their_order(call: Two) -> None:
    ann, bob = call
    for number in range(5):
        await _say(ann, f"question {number}")
        await expect(bob.page.get_by_text(f"question {number}", exact=True)).to_be_visible()
        await _say(bob, f"answer {number}")
        await expect(ann.page.get_by_text(f"answer {number}", exact=True)).to_be_visible()
    wanted = [f"{kind} {number}" for number in range(5) for kind in ("question", "answer")]
    for one in call:
        found = await one.page.get_by_role("log").locator("p").all_inner_texts()
        assert found[-len(wanted) :] == wanted


async def test_enter_sends(call: Two) -> None:
    ann, bob = call
    field = ann.page.get_by_role("textbox", name="Message", exact=True)
    await field.fill("by keyboard")
    await field.press("Enter")
    await expect(bob.page.get_by_text("by keyboard", exact=True)).to_have_count(1)
