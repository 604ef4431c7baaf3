"""Text chat, directly from page to page."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from e2e.people import Person

Two = tuple[Person, Person]


async def _say(person: Person, text: str) -> None:
    await person.page.get_by_role("textbox", name="Message", exact=True).fill(text)
    await person.button("Send").click()


@pytest.mark.parametrize("text", ["Hello Bob!", "你好 👋 <b>&amp;</b>", "x" * 8000], ids=["plain", "signs", "long"])
async def test_a_message_stands_once_on_both_sides(talking: Two, text: str) -> None:
    ann, _ = talking
    await _say(ann, text)
    for one in talking:
        await expect(one.page.get_by_text(text, exact=True)).to_have_count(1)
    await expect(ann.page.get_by_role("textbox", name="Message", exact=True)).to_have_value("")


async def test_messages_of_both_keep_their_order(talking: Two) -> None:
    ann, bob = talking
    for number in range(5):
        await _say(ann, f"question {number}")
        await expect(bob.page.get_by_text(f"question {number}", exact=True)).to_be_visible()
        await _say(bob, f"answer {number}")
        await expect(ann.page.get_by_text(f"answer {number}", exact=True)).to_be_visible()
    wanted = [f"{kind} {number}" for number in range(5) for kind in ("question", "answer")]
    for one in talking:
        found = await one.page.get_by_role("log").locator("p").all_inner_texts()
        assert found == wanted


async def test_enter_sends(talking: Two) -> None:
    ann, bob = talking
    field = ann.page.get_by_role("textbox", name="Message", exact=True)
    await field.fill("by keyboard")
    await field.press("Enter")
    await expect(bob.page.get_by_text("by keyboard", exact=True)).to_have_count(1)
