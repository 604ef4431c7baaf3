"""The page /doctor in real browsers behind NATs: what it shows of the NAT, and that the relay works from there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from e2e.chromium import CHROMIUM, FLAGS
from e2e.test_doctor import over, states
from peerline.lab import Host, Lab
from system.server_process import PEERLINE

pytestmark = pytest.mark.skipif(not os.path.exists(CHROMIUM), reason="needs Chromium")


@asynccontextmanager
async def doctor_at(host: Host, url: str, folder: Path) -> AsyncIterator[Page]:
    """The page in a browser that runs in this host, when all checks are over."""
    launcher = host.write_launcher(folder / f"chromium-{host.name}", CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=launcher, args=list(FLAGS))
        page = await browser.new_page(locale="en-US")
        await page.goto(f"{url}/doctor")
        await over(page)
        yield page
        await browser.close()


@asynccontextmanager
async def serving(host: Host, folder: Path) -> AsyncIterator[str]:
    """Peerline at the first address of the host, and a second STUN server at its second."""
    environment = [
        "env", f"HOME={folder}", f"PEERLINE_ICE_SERVERS=stun:{host.addresses[1]}:3478",
    ]  # fmt: skip
    serve = [*environment, PEERLINE, "serve", "--host", host.address, "--port", "8080", "--no-db"]
    second = [*environment, PEERLINE, "turn", "--host", host.addresses[1]]
    async with AsyncExitStack() as stack:
        for command in ([*serve, "--allow-peer", "203.0.113.0/24"], second):
            program = stack.enter_context(host.popen(command, stdout=subprocess.PIPE))
            assert program.stdout is not None
            assert program.stdout.readline()
        yield f"http://{host.address}:8080"


@pytest.mark.parametrize(
    ("nat", "words"),
    [
        ("port-restricted", "The same port for 2 servers"),
        ("symmetric", "Symmetric"),
        ("open", "The same port for 2 servers"),
    ],
)
async def test_the_nat_is_seen_and_the_relay_works(natlab: Lab, tmp_path: Path, nat: str, words: str) -> None:
    home = natlab.behind(nat)
    ann = home.host("ann")
    async with serving(natlab.host("server", addresses=2), tmp_path) as url, doctor_at(ann, url, tmp_path) as page:
        found = await states(page)
        row = page.locator('[data-check="nat"]')
        await expect(row).to_contain_text(words)
        for name in ("websocket", "http", "stun", "nat", "relayUdp", "relayTcp", "relayOnly", "advertised"):
            assert found[name] == "ok", found
        assert found["secure"] == "failed", "plain HTTP"
        picture = page.get_by_role("img", name="The path")
        if home.public_address is not None:
            await expect(picture).to_contain_text(home.public_address)


async def test_where_no_udp_passes_it_says_so(natlab: Lab, tmp_path: Path) -> None:
    ann = natlab.behind("udp-blocked").host("ann")
    async with serving(natlab.host("server", addresses=2), tmp_path) as url, doctor_at(ann, url, tmp_path) as page:
        found = await states(page)
        assert (found["websocket"], found["stun"], found["relayUdp"]) == ("ok", "failed", "failed")
        await expect(page.locator('[data-check="relayUdp"] code')).to_have_text("ufw allow 3478/udp")
        await expect(page.get_by_role("img", name="The path")).to_contain_text("no UDP passes")
