"""File transfer over a data channel: any size, with progress, back-pressure, cancel and a checksum."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from e2e.conftest import Two
from e2e.people import Person

MIB = 1 << 20

# Keeps the highest bufferedAmount of every data channel: how much of a file waits inside the browser.
WATCH_BUFFERS = """(() => {
  window.mostBuffered = 0;
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    send.call(this, data);
    window.mostBuffered = Math.max(window.mostBuffered, this.bufferedAmount);
  };
})()"""

# The sender reads no more than the first blocks of its files until the test lets it: it cannot be too quick for a test.
HOLD_FILES = """(() => {
  const read = Blob.prototype.arrayBuffer;
  let left = 4, release;
  const held = new Promise((resolve) => (release = resolve));
  Blob.prototype.arrayBuffer = async function () {
    if (left-- <= 0) await held;
    return read.call(this);
  };
  window.letFilesGo = () => {
    Blob.prototype.arrayBuffer = read;
    release();
  };
})()"""


async def _send(person: Person, *files: Path) -> None:
    """Through the button and the chooser it opens."""
    async with person.page.expect_file_chooser() as opening:
        await person.button("Send file").click()
    await (await opening.value).set_files(files)


async def _save(person: Person, name: str, folder: Path) -> Path:
    """Save what was received."""
    async with person.page.expect_download() as saving:
        await person.page.get_by_role("link", name=f"Save {name}").click()
    target = folder / f"received-{name}"
    await (await saving.value).save_as(target)
    return target


def _row(person: Person, file: Path) -> Locator:
    return person.page.get_by_role("list", name="Files").get_by_role("listitem").filter(has_text=file.name)


def _file(folder: Path, name: str, size: int) -> Path:
    file = folder / name
    file.write_bytes(os.urandom(size))
    return file


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 65_536, 5 * MIB + 13], ids=["empty", "one", "one-message", "5MB"])
async def test_a_file_arrives_unharmed(call: Two, tmp_path: Path, size: int) -> None:
    ann, bob = call
    sent = _file(tmp_path, f"{size} bytes.bin", size)
    await _send(ann, sent)
    received = await _save(bob, sent.name, tmp_path)
    assert received.stat().st_size == size
    assert _sum(received) == _sum(sent)
    await expect(_row(ann, sent)).to_contain_text("arrived, checksum correct")


async def test_files_go_both_ways_at_once_and_keep_their_names(call: Two, tmp_path: Path) -> None:
    ann, bob = call
    first, second = _file(tmp_path, "ann 1.bin", MIB), _file(tmp_path, "安.txt", 2 * MIB)
    back = _file(tmp_path, "bob.bin", MIB)
    await _send(ann, first, second)
    await _send(bob, back)
    for one, file in ((bob, first), (bob, second), (ann, back)):
        assert _sum(await _save(one, file.name, tmp_path)) == _sum(file)


async def test_a_large_file_waits_outside_the_browser_s_buffer_and_shows_its_progress(
    call: Two, tmp_path: Path
) -> None:
    ann, bob = call
    await ann.page.evaluate(WATCH_BUFFERS)
    await ann.page.evaluate(HOLD_FILES)
    sent = _file(tmp_path, "large.bin", 40 * MIB)
    await _send(ann, sent)
    for one in call:
        bar = one.page.get_by_role("progressbar", name="Progress of large.bin")
        await expect(bar).to_have_attribute("max", str(40 * MIB))
    await ann.page.evaluate("window.letFilesGo()")
    received = await _save(bob, "large.bin", tmp_path)
    assert _sum(received) == _sum(sent)
    most = await ann.page.evaluate("window.mostBuffered")
    assert 0 < most <= 2 * MIB, "the sender waits while much is buffered"


@pytest.mark.parametrize("who", ["sender", "receiver"])
async def test_either_side_can_cancel(call: Two, tmp_path: Path, who: str) -> None:
    ann, bob = call
    huge = _file(tmp_path, f"huge-{who}.bin", 49 * MIB)
    await ann.page.evaluate(HOLD_FILES)
    await _send(ann, huge)
    canceller = ann if who == "sender" else bob
    # Some of it has come already.
    await expect(bob.page.get_by_role("progressbar")).not_to_have_attribute("value", "0")
    await canceller.button(f"Cancel {huge.name}").click()
    for one in call:
        await expect(_row(one, huge)).to_contain_text("cancelled")
        await expect(one.page.get_by_role("progressbar")).to_have_count(0)
    await ann.page.evaluate("window.letFilesGo()")
    await expect(bob.page.get_by_role("link", name=f"Save {huge.name}")).to_have_count(0)
    small = _file(tmp_path, f"after-{who}.bin", 1000)
    await _send(ann, small)
    assert _sum(await _save(bob, small.name, tmp_path)) == _sum(small)


async def test_a_received_file_can_be_saved_after_the_call(talking: Two, tmp_path: Path) -> None:
    ann, bob = talking
    sent = _file(tmp_path, "kept.bin", 1000)
    await _send(ann, sent)
    await expect(bob.page.get_by_role("link", name="Save kept.bin")).to_be_visible()
    await ann.hang_up()
    await bob.is_in_lobby()
    assert _sum(await _save(bob, "kept.bin", tmp_path)) == _sum(sent)
