"""Sound and pictures between a terminal and the page: a test pattern out, a recording in."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from e2e.invitations import Invite
from e2e.media import expect_media
from e2e.test_terminal import AtTerminal, terminal

__all__ = ["terminal"]  # the fixture

av = pytest.importorskip("av", reason="needs the extra media")


async def test_the_page_sees_and_hears_the_test_pattern_of_a_terminal(person: Invite, terminal: AtTerminal) -> None:
    bob = await person("Bob")
    ann = await terminal("call", "bob", "--test-pattern")
    await expect(bob.ringing).to_contain_text("Ann")
    await bob.answer()
    await ann.tells("connected")
    await expect_media(bob.page)
    ann.end_input()
    assert await ann.code() == 0


async def test_a_terminal_records_who_is_on_the_page_and_they_are_told(
    person: Invite, terminal: AtTerminal, tmp_path: Path
) -> None:
    bob, file = await person("Bob"), tmp_path / "bob.webm"
    ann = await terminal("record", "bob", file, "--seconds", "10")
    await bob.answer()
    await ann.tells("recording")
    await expect(bob.page.get_by_role("log").first).to_contain_text("being recorded")
    told = await ann.tells("recorded")
    assert await ann.code() == 0
    assert told["seconds"] > 3
    with av.open(str(file)) as recorded:
        kinds = {stream.type: stream.codec_context.name for stream in recorded.streams}
        counts = {"audio": 0, "video": 0}
        for packet in recorded.demux():
            counts[packet.stream.type] += packet.size > 0
    assert kinds == {"audio": "opus", "video": "vp8"}
    assert counts["audio"] > 150
    assert counts["video"] > 20


async def test_a_file_that_is_there_is_not_written_over_and_a_device_that_is_not_there_is_told_of(
    terminal: AtTerminal, tmp_path: Path
) -> None:
    (tmp_path / "there.webm").write_bytes(b"precious")
    again = await terminal("record", "bob", tmp_path / "there.webm")
    assert await again.code() == 1
    assert (tmp_path / "there.webm").read_bytes() == b"precious"
    blind = await terminal("call", "bob", "--camera", "no such camera")
    assert await blind.code() == 1
    assert (await blind.tells("error"))["code"]
