"""The end in a page of a real Chromium."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from interop.end import Candidate, Description, End

SCRIPT = Path(__file__).with_name("chromium_end.js").read_text()


class ChromiumEnd(End):
    """Drives `window.end` of chromium_end.js."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def start(cls, page: Page, configuration: dict[str, Any] | None = None) -> ChromiumEnd:
        """In a page that has nothing else to do."""
        await page.evaluate(SCRIPT)
        end = cls(page)
        await end._do("start", configuration or {})
        return end

    async def _do(self, name: str, argument: Any = None) -> Any:
        return await self.page.evaluate(f"(argument) => window.end.{name}(argument)", argument)

    async def create_channel(self, label: str, **options: Any) -> None:
        await self._do("createChannel", [label, options])

    async def add_media(self, audio: str | None, video: str | None) -> None:
        """Camera and microphone, in these codecs."""
        await self._do("addMedia", [audio, video])

    async def stats(self, type: str) -> list[dict[str, Any]]:
        """Those of one type."""
        found: list[dict[str, Any]] = await self._do("stats", type)
        return found

    async def offer(self, *, restart: bool = False) -> Description:
        offer: Description = await self._do("offer", restart)
        return offer

    async def answer(self, offer: Description) -> Description:
        answer: Description = await self._do("answer", offer)
        return answer

    async def accept(self, answer: Description) -> None:
        await self._do("accept", answer)

    async def next_candidate(self) -> Candidate | None:
        candidate: Candidate | None = await self._do("nextCandidate")
        return candidate

    async def add_candidate(self, candidate: Candidate) -> None:
        await self._do("addCandidate", candidate)

    async def opened(self, label: str) -> dict[str, Any]:
        facts: dict[str, Any] = await self._do("opened", label)
        return facts

    async def send(self, label: str, data: str | bytes) -> None:
        if isinstance(data, str):
            await self._do("sendText", [label, data])
        else:
            await self._do("sendBytes", [label, base64.b64encode(data).decode()])

    async def send_zeros(self, label: str, count: int, size: int) -> None:
        await self._do("sendZeros", [label, count, size])

    async def received(self, label: str) -> str | bytes:
        message: dict[str, str] = await self._do("received", label)
        return message["text"] if "text" in message else base64.b64decode(message["bytes"])

    async def digest(self, label: str, size: int) -> str:
        digest: str = await self._do("digest", [label, size])
        return digest

    async def state(self, *wanted: str) -> str:
        state: str = await self._do("state", list(wanted))
        return state

    async def close_channel(self, label: str) -> None:
        await self._do("closeChannel", label)

    async def closed(self, label: str) -> None:
        await self._do("closed", label)

    async def close(self) -> None:
        await self._do("close")
