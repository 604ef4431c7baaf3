"""The states that a page can be in, one after the other: whoever checks "every state" walks through these."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from e2e.invitations import Invite
from e2e.people import Person


async def states(invite: Invite, folder: Path, **options: Any) -> AsyncIterator[tuple[str, Person]]:
    """Name of the state and whose page is in it, from the first page to the one after the call.

    `options` are those of the pages that are looked at: viewport, colour scheme.
    """
    ann = await invite("Ann", register=False, **options)
    yield "register", ann
    await ann.register()
    yield "lobby alone", ann
    bob = await invite("Bob", **options)
    await ann.sees(bob)
    stranger = await invite("Cleo", register=False, **options)
    await stranger.ask_for("Ann")
    await expect(stranger.page.get_by_role("alert")).to_be_visible()
    yield "refused", stranger
    yield "lobby", ann
    await bob.call(ann)
    await expect(ann.ringing).to_be_visible()
    yield "ringing", ann
    yield "calling", bob
    await ann.answer("Decline")
    await bob.reads("Declined")
    yield "declined", bob
    await ann.call(bob)
    await bob.answer()
    await ann.reads("Connected")
    await bob.reads("Connected")
    await ann.page.wait_for_function("document.querySelector('video[data-role=remote]').videoWidth > 0")
    yield "call", ann
    await ann.page.get_by_role("textbox", name="Message", exact=True).fill("Can you see this? " * 4)
    await ann.button("Send").click()
    file = folder / "a-file-with-quite-a-long-name-so-that-it-has-to-be-cut-somewhere.bin"
    file.write_bytes(bytes(300_000))
    async with ann.page.expect_file_chooser() as opening:
        await ann.button("Send file").click()
    await (await opening.value).set_files(file)
    save = bob.page.get_by_role("link", name=f"Save {file.name}")
    await expect(save).to_be_visible()
    yield "file received", bob
    await ann.button("Statistics").click()
    await expect(ann.page.get_by_role("table")).to_be_visible()
    yield "statistics", ann
    await ann.button("Statistics").click()
    await ann.button("Inspector").click()
    await expect(ann.page.locator('[data-step="connected"][data-side="remote"]')).to_be_attached()
    yield "inspector", ann
    await ann.open_step("offerSent")
    yield "inspector opened", ann
    await ann.page.get_by_role("checkbox", name="Explain each line").check()
    await expect(ann.page.locator('[data-row="fingerprint"]').first).to_be_visible()
    yield "inspector explained", ann
    await ann.hang_up()
    await bob.reads("Call ended")
    await expect(bob.page.get_by_role("list", name="History").get_by_role("listitem")).to_have_count(2)
    yield "after the call", bob
