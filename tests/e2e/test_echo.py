"""Somebody alone calls Echo: they see and hear themselves, and read how long the way was."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from e2e.conftest import running
from e2e.invitations import Invite
from e2e.media import expect_media
from e2e.people import Person
from system.server_process import ServerProcess, standalone


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    yield from running(standalone(tmp_path, "--echo"))


class Robot(Person):
    """Echo, as others see it."""

    def __init__(self) -> None:
        self.name = "Echo"


async def test_a_newcomer_alone_sees_and_hears_themselves(person: Invite) -> None:
    ann, echo = await person("Ann"), Robot()
    await ann.sees(echo)
    await ann.call(echo)
    await ann.reads("Connected")
    await expect_media(ann.page)
    await expect(ann.video("remote")).to_be_visible()
    chat = ann.page.get_by_role("log")
    await expect(chat.first).to_contain_text("I am Echo")
    await expect(chat.first).to_contain_text(re.compile(r"takes \d+\.\d ms"))
    await ann.hang_up()
    await ann.is_in_lobby()
    await ann.sees(echo)


async def test_several_people_call_echo_at_once(person: Invite) -> None:
    people = await asyncio.gather(person("Ann"), person("Bob"), person("Cat"))
    for one in people:
        await one.sees(Robot())
        await one.call(Robot())
        await one.reads("Connected")
    await expect_media(*(one.page for one in people))
