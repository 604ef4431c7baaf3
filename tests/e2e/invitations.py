"""Brings people to a server's page, and sees to it that they leave without an error in the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext

from e2e.people import Person, new_page
from system.server_process import ServerProcess

Invite = Callable[..., Awaitable[Person]]

# Everybody whose page is open now.
present: list[Person] = []


@asynccontextmanager
async def invitations(browser: Browser, server: ServerProcess) -> AsyncIterator[Invite]:
    """Gives `invite`: `await invite("Ann")` is registered under that name, with a browser context of her own.

    `query` is put behind the page's address, `at` is another way to the server, `register=False` stops at the door,
    `scripts` run before the page's own, `context` is that of somebody else; the rest are options of the context.
    """
    invited: list[Person] = []

    async def invite(
        name: str,
        *,
        query: str = "",
        at: str | None = None,
        register: bool = True,
        scripts: tuple[str, ...] = (),
        context: BrowserContext | None = None,
        **options: Any,
    ) -> Person:
        if context is None:
            options = {"locale": "en-US", "permissions": ["camera", "microphone"]} | options
            context = await browser.new_context(**options)
        one = Person(name, await new_page(context, *scripts))
        invited.append(one)
        present.append(one)
        await one.page.goto(f"{at or f'http://localhost:{server.port}'}/{query and '?' + query}")
        if register:
            await one.register()
        return one

    try:
        yield invite
    finally:
        for one in invited:
            present.remove(one)
            await one.page.context.close()
    assert [f"{one.name}: {crash}" for one in invited for crash in one.crashes] == []
