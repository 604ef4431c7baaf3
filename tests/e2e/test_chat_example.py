"""examples/chat_with_browser.py, called from the page."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from playwright.async_api import expect

from e2e.invitations import Invite
from system.server_process import ServerProcess

EXAMPLE = Path(__file__).parents[2] / "examples" / "chat_with_browser.py"


async def test_a_program_answers_the_page_in_text(person: Invite, server: ServerProcess, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLE), server.url]
    environment = {**os.environ, "PEERLINE_DATA_DIR": str(tmp_path)}
    echo = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environment)
    try:
        assert echo.stdout is not None
        assert b"call Echo" in await echo.stdout.readline()
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
    finally:
        echo.kill()
        await echo.wait()
