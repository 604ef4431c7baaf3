"""English and Chinese: asked for by the address, by the browser, or chosen in the page."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Two
from e2e.invitations import Invite

HAN = re.compile(r"[\u4e00-\u9fff]")


async def _speaks(page: Page, language: str) -> None:
    """The page says that it speaks this language, and does."""
    await expect(page.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))
    name = "Your name" if language == "en" else "您的名字"
    await expect(page.get_by_role("textbox", name=name, exact=True)).to_be_visible()
    text = await page.locator("main").inner_text()
    assert bool(HAN.search(text)) == (language == "zh")


@pytest.mark.parametrize(
    ("query", "locale", "language"),
    [
        ("", "en-US", "en"),
        ("", "zh-CN", "zh"),
        ("", "zh-TW", "zh"),
        ("", "fr-FR", "en"),
        ("lang=zh", "en-US", "zh"),
        ("lang=en", "zh-CN", "en"),
        ("lang=xx", "zh-CN", "zh"),
    ],
)
async def test_the_page_s_language(person: Invite, query: str, locale: str, language: str) -> None:
    one = await person("Ann", query=query, locale=locale, register=False)
    await _speaks(one.page, language)


async def test_the_switch_in_the_page_wins_and_is_remembered(person: Invite) -> None:
    one = await person("Ann", register=False)
    await one.page.get_by_role("combobox", name="Language").select_option(label="中文")
    await _speaks(one.page, "zh")
    await one.page.reload()
    await _speaks(one.page, "zh")


async def test_switching_in_the_middle_of_a_call_changes_words_alone(talking: Two) -> None:
    ann, bob = talking
    await ann.page.get_by_role("combobox", name="Language").select_option(label="中文")
    await expect(ann.status).to_have_text("已接通")
    await expect(ann.button("挂断")).to_be_visible()
    assert await ann.live_connections() == 1
    await bob.reads("Connected")
    await ann.button("挂断").click()
    await expect(ann.status).to_have_text("通话已结束")
    await bob.reads("Call ended")


async def test_a_whole_call_in_chinese_shows_no_english(person: Invite) -> None:
    ann, bob = await person("安", locale="zh-CN", register=False), await person("波", query="lang=zh", register=False)
    for one in (ann, bob):
        await one.page.get_by_role("textbox", name="您的名字", exact=True).fill(one.name)
        await one.button("注册").click()
    await _has_no_english(ann.page)
    await ann.button("呼叫 波").click()
    ringing = bob.page.get_by_role("dialog", name="来电", exact=True)
    await expect(ringing).to_contain_text("安")
    await _has_no_english(bob.page)
    await ringing.get_by_role("button", name="接听", exact=True).click()
    for one in (ann, bob):
        await expect(one.status).to_have_text("已接通")
    for panel in ("统计", "检查器"):
        await ann.button(panel).click()
    await _has_no_english(ann.page)


async def _has_no_english(page: Page) -> None:
    """Whole English words: technical names (of steps, codecs, devices) stand for themselves."""
    text = await page.locator("body").inner_text()
    words = re.findall(r"\b(?:the|you|your|call|people|camera|name|hang|mute|and|is)\b", text, re.I)
    assert HAN.search(text)
    assert [word for word in words if word != "call"] == []
