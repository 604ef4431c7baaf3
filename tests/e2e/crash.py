"""Tabs that crash: the renderer is gone at once, without a word to anybody, and may come back by a reload."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from playwright.async_api import CDPSession

from e2e.people import Person
from e2e.waiting import until

_STATUS = "document.querySelector('[role=status]')?.textContent ?? ''"

_RECEIVED = """window.__peerline.peerConnections[0].getStats().then((stats) =>
  [...stats.values()].filter((one) => one.type === "inbound-rtp").map((one) => one.packetsReceived))"""


class CrashedTab:
    """What is left of a crashed tab. Playwright gives such a page up; the DevTools protocol does not."""

    def __init__(self, devtools: CDPSession) -> None:
        self._devtools = devtools

    async def reload(self) -> None:
        """As somebody who clicks "Reload" on the sad face: same tab, same sessionStorage."""
        await self._devtools.send("Page.reload")

    async def evaluate(self, expression: str) -> Any:
        answer = await self._devtools.send(
            "Runtime.evaluate",
            {"expression": f"(async () => JSON.stringify(await ({expression})))()", "awaitPromise": True},
        )
        return json.loads(answer["result"].get("value", "null"))

    async def reads(self, text: str, within_s: float = 10.0) -> None:
        await until(f"the status {text!r}", lambda: self.evaluate(_STATUS), lambda read: read == text, within_s)

    async def expect_media(self) -> None:
        """Packets of both kinds come in."""
        before = await self.evaluate(_RECEIVED)
        await until(
            "media that comes in again",
            lambda: self.evaluate(_RECEIVED),
            lambda now: (
                len(now) == 2 and all(count >= was + 20 for count, was in zip(now, before or (0, 0), strict=False))
            ),
        )

    async def click(self, button: str) -> None:
        assert await self.evaluate(
            f"""(() => {{
              const found = [...document.querySelectorAll("button")].find((one) => one.ariaLabel === {button!r});
              found?.click();
              return Boolean(found);
            }})()"""
        )


async def crash(person: Person) -> CrashedTab:
    """Kill the renderer of this person's page."""
    page = person.page
    devtools = await page.context.new_cdp_session(page)
    async with page.expect_event("crash"):
        # Never answered: there is nobody left to do so.
        dying = asyncio.ensure_future(devtools.send("Page.crash"))
    dying.cancel()
    return CrashedTab(devtools)
