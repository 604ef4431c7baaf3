"""Pairs of ends: ours and another, as offerer and as answerer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import async_playwright

from e2e.chromium import launch
from interop.chromium_end import ChromiumEnd
from interop.end import End, connect
from interop.python_end import AiortcEnd, PeerlineEnd

# Addresses in the open: that browsers hide them behind names has a test of its own.
OPEN_ADDRESSES = "--disable-features=WebRtcHideLocalIpsWithMdns"

MakeEnd = Callable[..., Awaitable[End]]


@dataclass
class Pair:
    """`ours` is Peerline's; one of them is `offerer`."""

    ours: PeerlineEnd
    theirs: End
    offerer: End
    answerer: End

    async def connect(self, *, restart: bool = False) -> None:
        await connect(self.offerer, self.answerer, restart=restart)


@pytest.fixture
async def make_end() -> AsyncIterator[MakeEnd]:
    """`await make_end("chromium")`, with flags of the browser if wanted; all are closed when the test is over."""
    ends: list[End] = []
    async with async_playwright() as playwright:

        async def make(kind: str, *flags: str) -> End:
            if kind == "chromium":
                browser = await launch(playwright, *(flags or (OPEN_ADDRESSES,)))
                page = await browser.new_page()
                # Hashes are for secure pages only; this one comes from nowhere.
                await page.route("https://peer.example/", lambda route: route.fulfill(body="<title>peer</title>"))
                await page.goto("https://peer.example/")
                end: End = await ChromiumEnd.start(page)
            else:
                end = AiortcEnd() if kind == "aiortc" else PeerlineEnd()
            ends.append(end)
            return end

        yield make
        for end in ends:
            await end.close()


@pytest.fixture(params=["chromium", "aiortc", "peerline"])
def other(request: pytest.FixtureRequest) -> str:
    """Who is on the other side."""
    return str(request.param)


@pytest.fixture(params=["we-offer", "they-offer"])
async def pair(request: pytest.FixtureRequest, other: str, make_end: MakeEnd) -> AsyncIterator[Pair]:
    """Not connected yet, so that channels can be made before the offer."""
    ours = PeerlineEnd()
    try:
        theirs = await make_end(other)
        yield Pair(ours, theirs, *((ours, theirs) if request.param == "we-offer" else (theirs, ours)))
    finally:
        await ours.close()
