"""What is wrong with a page for somebody who uses it by ear, by keyboard or by thumb: asks inspection.js."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

_SOURCE = Path(__file__).with_suffix(".js").read_text()
THUMB_PX = 40


async def faults(page: Page) -> list[str]:
    """Names, roles, labels, ids, headings."""
    return await _ask(page, "faults()")


async def too_small(page: Page) -> list[str]:
    """Controls that a thumb misses."""
    return await _ask(page, f"tooSmall({THUMB_PX})")


async def out_of_reach(page: Page) -> list[str]:
    """Controls that lie under something else, even scrolled to."""
    return await _ask(page, "outOfReach()")


async def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways."""
    return await _ask(page, "tooWide()")


async def _ask(page: Page, question: str) -> list[str]:
    answer: list[str] = await page.evaluate(f"{_SOURCE.strip()}.{question}")
    return answer
