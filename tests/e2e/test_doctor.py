"""The page /doctor in a real browser: all is well with a relay, and what is not is told with the line that fixes it."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from e2e.conftest import running
from e2e.inspection import faults, out_of_reach, too_small, too_wide
from e2e.invitations import Invite, invitations
from e2e.people import Person
from e2e.test_phone import PHONE
from e2e.test_relay import LOOPBACK
from system.server_process import ServerProcess, create_token, standalone

HAN = re.compile(r"[\u4e00-\u9fff]")
# Chromium asks a silent STUN server for some ten seconds.
PATIENCE_MS = 40_000


@pytest.fixture(scope="module")
def relaying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    yield from running(standalone(tmp_path_factory.mktemp("relaying"), "--no-db", *LOOPBACK))


@pytest_asyncio.fixture(loop_scope="session")
async def with_relay(browser: Browser, relaying: ServerProcess) -> AsyncIterator[Invite]:
    async with invitations(browser, relaying) as invite:
        yield invite


async def examined(invite: Invite, server: ServerProcess, query: str = "", **options: Any) -> Page:
    """Somebody at the page, when all checks are over."""
    one: Person = await invite("Ann", register=False, **options)
    await one.page.goto(f"http://localhost:{server.port}/doctor{query and '?' + query}")
    await over(one.page)
    return one.page


async def over(page: Page) -> None:
    status = page.get_by_role("status")
    await expect(status).to_have_class(re.compile("doctor-verdict-(ok|warning|failed)"), timeout=PATIENCE_MS)


async def states(page: Page) -> dict[str, str]:
    found: dict[str, str] = await page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-check]')].map(e => [e.dataset.check, "
        "e.dataset.state]))"
    )
    return found


async def test_with_a_relay_all_is_well(with_relay: Invite, relaying: ServerProcess) -> None:
    page = await examined(with_relay, relaying)
    await expect(page.get_by_role("status")).to_have_text("All is well")
    found = await states(page)
    for name in (
        "secure",
        "media",
        "websocket",
        "http",
        "clock",
        "stun",
        "nat",
        "relayUdp",
        "relayTcp",
        "relayOnly",
        "advertised",
    ):
        assert found[name] == "ok", found
    await expect(page.locator('[data-check="relayOnly"]')).to_contain_text("there and back in")
    picture = page.get_by_role("img", name=re.compile("^The path: This browser"))
    await expect(picture).to_contain_text(f"localhost:{relaying.port}")
    await expect(picture).to_contain_text("relay at 127.0.0.1")


async def test_on_localhost_alone_the_line_that_opens_the_relay_is_told(person: Invite, server: ServerProcess) -> None:
    page = await examined(person, server)
    await expect(page.get_by_role("status")).to_have_text("Works, with warnings")
    relay = page.locator('[data-check="relayUdp"]')
    await expect(relay).to_have_attribute("data-state", "warning")
    await expect(relay.locator("code")).to_have_text("peerline serve --allow-peer 127.0.0.0/8")
    assert (await states(page))["relayOnly"] == "unknown"


async def test_it_speaks_chinese(with_relay: Invite, relaying: ServerProcess) -> None:
    page = await examined(with_relay, relaying, "lang=zh")
    await expect(page.get_by_role("status")).to_have_text("一切正常")
    await expect(page.get_by_role("heading", name="诊断")).to_be_visible()
    await page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    text = await page.locator("body").inner_text()
    assert HAN.search(text)
    assert re.findall(r"\b(?:the|you|your|server|relay|and|is|there|failed)\b", text, re.I) == ["server"], (
        "that of `peerline doctor --server`"
    )
    await page.get_by_role("combobox").select_option(label="English")
    await expect(page.get_by_role("status")).to_have_text("All is well")


@pytest.mark.parametrize("screen", [{}, PHONE, {"color_scheme": "dark"}], ids=["desk", "phone", "dark"])
async def test_it_holds_up_for_ears_keyboards_and_thumbs(
    with_relay: Invite, relaying: ServerProcess, screen: dict[str, Any]
) -> None:
    page = await examined(with_relay, relaying, **screen)
    await page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found = await faults(page) + await too_wide(page) + await out_of_reach(page)
    if screen is PHONE:
        found += await too_small(page)
    assert found == []


@pytest.mark.parametrize("is_there", [True, False], ids=["silent", "not there"])
async def test_a_stun_server_that_does_not_answer_is_found(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        if not is_there:
            silent.close()
        monkeypatch.setenv("PEERLINE_ICE_SERVERS", f"stun:127.0.0.1:{port}")
        for server in running(standalone(tmp_path / "server", "--no-db")):
            async with invitations(browser, server) as invite:
                page = await examined(invite, server)
                stun = page.locator('[data-check="stun"]')
                await expect(stun).to_have_attribute("data-state", "failed")
                await expect(stun).to_contain_text("1 of 2 did not answer")
                await expect(stun.locator("code")).to_have_text(f"ufw allow {port}/udp")
                await expect(page.get_by_role("status")).to_have_text("Something failed")


async def test_where_websocket_is_blocked_http_is_well(with_relay: Invite, relaying: ServerProcess) -> None:
    one = await with_relay("Ann", at=f"http://localhost:{relaying.port}/", register=False)

    async def refuse(socket: WebSocketRoute) -> None:
        await socket.close()

    await one.page.route_web_socket("**/signal", refuse)
    await one.page.goto(f"http://localhost:{relaying.port}/doctor")
    await over(one.page)
    found = await states(one.page)
    assert (found["websocket"], found["http"], found["relayUdp"]) == ("failed", "ok", "ok")
    await expect(one.page.locator('[data-check="websocket"] code')).to_contain_text("proxy_set_header Upgrade")


async def test_who_has_no_token_is_told_how_to_get_one_and_who_has_is_well(browser: Browser, tmp_path: Path) -> None:
    for server in running(standalone(tmp_path / "server", "--no-db", "--auth", "token")):
        async with invitations(browser, server) as invite:
            page = await examined(invite, server)
            await expect(page.locator('[data-check="websocket"] code')).to_contain_text("peerline token create")
            token = create_token(server.folder, "Ann")
            await page.evaluate("token => sessionStorage.setItem('peerline.page.token', token)", token)
            await page.reload()
            await over(page)
            found = await states(page)
            assert (found["websocket"], found["http"]) == ("ok", "ok")
            assert token not in await page.locator("body").inner_text()


async def test_the_report_has_no_address_unless_one_asks_for_it(with_relay: Invite, relaying: ServerProcess) -> None:
    allowed = ["camera", "microphone", "clipboard-read", "clipboard-write"]
    page = await examined(with_relay, relaying, permissions=allowed)
    copy = page.get_by_role("button", name="Copy report")

    async def copied() -> str:
        await copy.click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        text: str = await page.evaluate("navigator.clipboard.readText()")
        return text

    plain = await copied()
    assert "✓ Relay over UDP" in plain
    assert "relayed address [address]" in plain
    assert not re.search(r"\d+\.\d+\.\d+\.\d+ :", plain)
    assert "localhost" not in plain
    await page.get_by_role("checkbox", name="with addresses").check()
    await expect(copy).to_be_visible()
    full = await copied()
    assert "relayed address 127.0.0.1 :" in full
    assert f"http://localhost:{relaying.port}/" in full


async def test_the_way_there_and_back(person: Invite, server: ServerProcess) -> None:
    ann = await person("Ann", query="ice=relay&lang=en")
    await ann.page.get_by_role("link", name="Find out why").click()
    await expect(ann.page).to_have_url(re.compile(r"/doctor\?ice=relay&lang=en$"))
    await expect(ann.page.get_by_role("heading", name="Doctor")).to_be_visible()
    await over(ann.page)
    await ann.page.get_by_role("link", name="Peerline, back to the first page").click()
    await ann.is_in_lobby()
    await ann.page.get_by_role("link", name="Ask the doctor").click()
    await over(ann.page)
    await ann.page.get_by_role("button", name="Examine again").click()
    await expect(ann.page.get_by_role("status")).to_contain_text("done")
    await over(ann.page)
