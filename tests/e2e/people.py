"""A person of a test: a browser context of their own, the page in it, and what they can do there.

Everything is found by its accessible name, as somebody finds it who sees or hears the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page, expect

from e2e.waiting import until

# Keeps every text that the status line ever showed: "Calling…" may be over before anybody asks.
_LISTEN = """(() => {
  window.heardStatus = [];
  new MutationObserver(() => {
    const text = document.querySelector("[role=status]")?.textContent ?? "";
    if (text && text !== window.heardStatus.at(-1)) window.heardStatus.push(text);
  }).observe(document, { subtree: true, childList: true, characterData: true });
})()"""


class Person:
    """Somebody at a page."""

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.page = page
        self.console: list[str] = []
        self.crashes: list[str] = []
        self._follow(page)

    def _follow(self, page: Page) -> None:
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.crashes.append(str(error)))

    # What one sees -----------------------------------------------------------------------------------

    @property
    def status(self) -> Locator:
        """The one line that says how the call stands."""
        return self.page.get_by_role("status")

    @property
    def people(self) -> Locator:
        return self.page.get_by_role("list", name="People", exact=True)

    @property
    def ringing(self) -> Locator:
        return self.page.get_by_role("dialog", name="Incoming call", exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def call_button(self, other: Person) -> Locator:
        return self.people.get_by_role("button", name=f"Call {other.name}", exact=True)

    def audio_call_button(self, other: Person) -> Locator:
        return self.people.get_by_role("button", name=f"Audio call {other.name}", exact=True)

    def video(self, role: str) -> Locator:
        """`local` or `remote`."""
        return self.page.locator(f'video[data-role="{role}"]')

    async def heard(self) -> list[str]:
        """All that the status line has said since the page was loaded."""
        texts: list[str] = await self.page.evaluate("window.heardStatus")
        return texts

    async def reads(self, *texts: str, within_s: float = 10.0) -> None:
        """The status line says one of these."""
        pattern = re.compile("^(" + "|".join(map(re.escape, texts)) + ")$")
        await expect(self.status).to_have_text(pattern, timeout=within_s * 1000)

    async def is_in_lobby(self) -> None:
        await expect(self.people).to_be_visible()
        await expect(self.button("Hang up")).to_have_count(0)

    # What one does -----------------------------------------------------------------------------------

    async def register(self, name: str | None = None) -> None:
        """Type the name and register; returns when the lobby is there."""
        await self.ask_for(name or self.name)
        await expect(self.people).to_be_visible()

    async def ask_for(self, name: str) -> None:
        """Type the name and register; it may be refused."""
        await self.page.get_by_role("textbox", name="Your name", exact=True).fill(name)
        await self.button("Register").click()

    async def sees(self, other: Person) -> None:
        await expect(self.call_button(other)).to_be_visible()

    async def call(self, other: Person) -> None:
        await self.call_button(other).click()

    async def audio_call(self, other: Person) -> None:
        await self.audio_call_button(other).click()

    async def answer(self, how: str = "Accept") -> None:
        """ "Accept", "Accept with audio only" or "Decline"."""
        await self.ringing.get_by_role("button", name=how, exact=True).click()

    async def open(self, panel: str) -> None:
        """ "Statistics" or "Inspector"; one that is open stays so."""
        button = self.button(panel)
        if await button.get_attribute("aria-expanded") != "true":
            await button.click()

    async def open_step(self, kind: str, side: str = "local") -> Locator:
        """The first step of this kind in the open inspector, opened; one that is open stays so."""
        step = self.page.locator(f'[data-step="{kind}"][data-side="{side}"]').first
        row = step.get_by_role("button")

        async def is_open() -> bool:
            # While the last steps come in, rows move away under the pointer, and a click is lost: then once more.
            if await row.get_attribute("aria-expanded") == "false":
                await row.click()
            return await row.get_attribute("aria-expanded") == "true"

        await until(f"{self.name}'s step {kind} open", is_open)
        return step

    async def hang_up(self) -> None:
        await self.button("Hang up").click()

    async def leave_page(self) -> None:
        """Close the page as a person does."""
        await self.page.close(run_before_unload=True)

    # What the page knows -----------------------------------------------------------------------------

    async def remote_description(self) -> str:
        """The description that the other side sent last."""
        sdp: str = await self.page.evaluate("window.__peerline.peerConnections.at(-1)?.remoteDescription?.sdp ?? ''")
        return sdp

    async def live_connections(self) -> int:
        count: int = await self.page.evaluate("window.__peerline.peerConnections.length")
        return count


async def new_page(context: BrowserContext, *scripts: str) -> Page:
    """A page that listens to its own status line; `scripts` run before the page's own."""
    page = await context.new_page()
    for script in (_LISTEN, *scripts):
        await page.add_init_script(script)
    return page


async def connect(caller: Person, callee: Person, how: str = "Accept") -> None:
    """A call from click to both sides "Connected"."""
    await caller.call(callee)
    await callee.answer(how)
    await caller.reads("Connected")
    await callee.reads("Connected")


def in_order(wanted: Sequence[Any], found: Sequence[Any]) -> bool:
    """Whether all that is wanted stands in `found`, in this order; other things may stand between."""
    rest = iter(found)
    return all(one in rest for one in wanted)
