"""Examples that somebody at the page calls."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import expect

from e2e.invitations import Invite
from e2e.media import expect_media
from system.server_process import ServerProcess

EXAMPLES = Path(__file__).parents[2] / "examples"


@asynccontextmanager
async def running(name: str, server: ServerProcess, folder: Path) -> AsyncIterator[None]:
    """Until it has signed in, and afterwards not any more."""
    command = [sys.executable, str(EXAMPLES / name), server.url]
    environment = {**os.environ, "PEERLINE_DATA_DIR": str(folder)}
    echo = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environment)
    try:
        assert echo.stdout is not None
        assert b"call Echo" in await echo.stdout.readline()
        yield
    finally:
        echo.kill()
        await echo.wait()


async def test_a_program_answers_the_page_in_text(person: Invite, server: ServerProcess, tmp_path: Path) -> None:
    async with running("chat_with_browser.py", server, tmp_path):
        bob = await person("Bob")
        for text, answer in (("stressed", "desserts"), ("你好", "好你")):
            await bob.page.get_by_role("button", name="Call Echo", exact=True).click()
            await bob.reads("Connected")
            await expect(bob.page.get_by_text("Hello Bob! Say something.").first).to_be_visible()
            await bob.page.get_by_role("textbox", name="Message", exact=True).fill(text)
            await bob.button("Send").click()
            await expect(bob.page.get_by_text(answer, exact=True)).to_be_visible()
            await bob.hang_up()
            await bob.is_in_lobby()


async def test_a_program_sends_sound_and_pictures_back(person: Invite, server: ServerProcess, tmp_path: Path) -> None:
    async with running("echo.py", server, tmp_path):
        bob = await person("Bob")
        await bob.page.get_by_role("button", name="Call Echo", exact=True).click()
        await bob.reads("Connected")
        await expect_media(bob.page)
        await bob.hang_up()
        await bob.is_in_lobby()
