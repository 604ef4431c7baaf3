"""A terminal and a page talk with each other: text, files, both ways, and through what goes wrong."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from e2e.crash import crash
from e2e.invitations import Invite
from e2e.people import Person
from system.server_process import ServerProcess
from system.terminal import Terminal

MIB = 1 << 20

# Keeps what was asked of camera and microphone.
WATCH_CAPTURE = """(() => {
  window.captured = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wish) => (window.captured.push(wish), open(wish));
})()"""

AtTerminal = Callable[..., Awaitable[Terminal]]


@pytest_asyncio.fixture(loop_scope="session")
async def terminal(server: ServerProcess, tmp_path: Path) -> AsyncIterator[AtTerminal]:
    """`await terminal("call", "Bob")`: Ann at a terminal, who tells everything as JSON."""
    started: list[Terminal] = []

    async def start(*arguments: str | Path, name: str = "Ann") -> Terminal:
        options = ("--server", server.url, "--as", name, "--json")
        one = await Terminal.start(tmp_path / f"home of {name}", *arguments, *options)
        started.append(one)
        return one

    yield start
    for one in started:
        await one.end()


def _file(folder: Path, name: str, size: int) -> Path:
    file = folder / name
    file.write_bytes(os.urandom(size))
    return file


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


async def _say(person: Person, text: str) -> None:
    await person.page.get_by_role("textbox", name="Message", exact=True).fill(text)
    await person.button("Send").click()


async def _send(person: Person, *files: Path) -> None:
    async with person.page.expect_file_chooser() as opening:
        await person.button("Send file").click()
    await (await opening.value).set_files(files)


async def _save(person: Person, name: str, folder: Path) -> Path:
    async with person.page.expect_download() as saving:
        await person.page.get_by_role("link", name=f"Save {name}").click()
    target = folder / f"received-{name}"
    await (await saving.value).save_as(target)
    return target


async def _talk(bob: Person, ann: Terminal) -> None:
    """Ann calls Bob, who is at the page."""
    await bob.answer()
    await bob.reads("Connected")
    await ann.tells("connected")


async def test_a_terminal_calls_the_page_and_they_chat_without_camera_and_microphone(
    person: Invite, terminal: AtTerminal
) -> None:
    bob = await person("Bob", scripts=(WATCH_CAPTURE,))
    ann = await terminal("call", "bob")
    await expect(bob.ringing).to_contain_text("wants to chat with you")
    await expect(bob.ringing.get_by_role("button", name="Accept with audio only")).to_have_count(0)
    await ann.tells("ringing")
    await _talk(bob, ann)
    await expect(bob.page.get_by_text("Camera and microphone are off")).to_be_visible()
    for text in ("Hello Bob!", "你好 👋 <b>&amp;</b>", "x" * 8000):
        await ann.type(text)
        await expect(bob.page.get_by_text(text, exact=True)).to_have_count(1)
    await _say(bob, "Grüß dich 👋\nAnn")
    assert (await ann.tells("message"))["text"] == "Grüß dich 👋\nAnn".replace("\n", " ")
    ann.end_input()
    await bob.reads("Call ended")
    assert await ann.code() == 0
    assert await bob.page.evaluate("window.captured") == []
    await bob.is_in_lobby()


async def test_the_page_calls_a_terminal_that_waits_and_sees_a_person_without_a_picture(
    person: Invite, terminal: AtTerminal
) -> None:
    bob = await person("Bob")
    ann = await terminal("call", "--wait")
    await ann.tells("waiting")
    await bob.page.get_by_role("button", name="Call Ann", exact=True).click()
    await ann.tells("incoming", name="Bob")
    await bob.reads("Connected")
    await expect(bob.page.get_by_text("Camera and microphone are off")).to_be_visible()
    await _say(bob, "Are you there?")
    await ann.tells("message", text="Are you there?")
    await ann.type("I am.")
    await expect(bob.page.get_by_text("I am.", exact=True)).to_have_count(1)
    await bob.hang_up()
    await ann.tells("end", why="hangup")
    assert await ann.code() == 0


@pytest.mark.parametrize("size", [0, 65_536, 5 * MIB + 13], ids=["empty", "one-message", "5MB"])
async def test_a_file_sent_from_a_terminal_arrives_at_the_page(
    person: Invite, terminal: AtTerminal, tmp_path: Path, size: int
) -> None:
    bob = await person("Bob")
    sent = _file(tmp_path, f"安 {size}.bin", size)
    ann = await terminal("send", sent, "Bob")
    await bob.answer()
    await ann.tells("sent", name=sent.name, size=size)
    assert await ann.code() == 0
    await bob.reads("Call ended")
    received = await _save(bob, sent.name, tmp_path)
    assert _sum(received) == _sum(sent)


async def test_files_from_the_page_are_saved_at_the_terminal_without_overwriting(
    person: Invite, terminal: AtTerminal, tmp_path: Path
) -> None:
    bob = await person("Bob")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    sent = _file(tmp_path, "report.bin", 3 * MIB + 1)
    ann = await terminal("call", "Bob", "--accept-files", inbox)
    await _talk(bob, ann)
    for _ in range(2):
        await _send(bob, sent)
        place = Path((await ann.tells("file-saved", name="report.bin"))["path"])
        assert _sum(place) == _sum(sent)
    rows = bob.page.get_by_role("list", name="Files").get_by_role("listitem")
    await expect(rows.filter(has_text="arrived, checksum correct")).to_have_count(2)
    assert sorted(file.name for file in inbox.iterdir()) == ["report (2).bin", "report.bin"]
    ann.end_input()
    assert await ann.code() == 0


async def test_a_terminal_that_was_not_told_to_take_files_takes_none(
    person: Invite, terminal: AtTerminal, tmp_path: Path
) -> None:
    bob = await person("Bob")
    ann = await terminal("call", "Bob")
    await _talk(bob, ann)
    await _send(bob, _file(tmp_path, "report.bin", MIB))
    await ann.tells("file-declined", name="report.bin")
    await expect(bob.page.get_by_role("list", name="Files")).to_contain_text("cancelled")
    assert not (tmp_path / "home of Ann" / "report.bin").exists()
    await _say(bob, "Never mind.")
    await ann.tells("message", text="Never mind.")


async def test_a_page_that_declines_or_is_busy_ends_the_program_with_2(
    person: Invite, terminal: AtTerminal, tmp_path: Path
) -> None:
    bob = await person("Bob")
    sent = _file(tmp_path, "a.bin", 10)
    ann = await terminal("send", sent, "Bob")
    await bob.answer("Decline")
    assert (await ann.tells("error"))["code"] == "declined"
    assert await ann.code() == 2
    carol = await terminal("call", "Bob", name="Carol")
    await _talk(bob, carol)
    ann = await terminal("send", sent, "Bob")
    assert (await ann.tells("error"))["code"] == "busy"
    assert await ann.code() == 2


async def test_a_call_between_terminal_and_page_outlives_a_server_that_is_killed(
    person: Invite, terminal: AtTerminal, server: ServerProcess
) -> None:
    bob = await person("Bob")
    ann = await terminal("call", "Bob")
    await _talk(bob, ann)
    server.kill()
    await ann.tells("server-lost")
    await ann.type("The server is gone.")
    await expect(bob.page.get_by_text("The server is gone.", exact=True)).to_have_count(1)
    await expect(bob.page.get_by_role("alert")).to_contain_text("The server is out of reach")
    server.start()
    await ann.tells("server-back")
    await expect(bob.page.get_by_role("alert")).to_have_count(0, timeout=20_000)
    await _say(bob, "And back.")
    await ann.tells("message", text="And back.")
    await bob.hang_up()
    assert await ann.code() == 0


async def test_a_page_that_hangs_up_while_the_server_is_away_has_hung_up_for_the_terminal_too(
    person: Invite, terminal: AtTerminal, server: ServerProcess
) -> None:
    bob = await person("Bob")
    ann = await terminal("call", "Bob")
    await _talk(bob, ann)
    server.kill()
    await ann.tells("server-lost")
    await bob.hang_up()
    server.start()
    assert await ann.code() == 0


async def test_a_page_that_crashes_and_comes_back_finds_the_terminal_still_there(
    person: Invite, terminal: AtTerminal
) -> None:
    bob = await person("Bob")
    ann = await terminal("call", "Bob")
    await _talk(bob, ann)
    tab = await crash(bob)
    await tab.reload()
    await ann.tells("reconnecting")
    await ann.tells("connected")
    await tab.reads("Connected", within_s=20)
    await ann.type("Welcome back.")
    shown = "document.querySelector('[role=log]')?.textContent?.includes('Welcome back.') ?? false"
    from e2e.waiting import until

    await until("the message", lambda: tab.evaluate(shown))
    await tab.click("Hang up")
    assert await ann.code() == 0
