"""Ways to the server: WebSocket, server-sent events, long poll; each carries a whole call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from e2e.invitations import Invite
from e2e.media import expect_media
from e2e.people import connect
from e2e.proxy import Proxy
from system.server_process import ServerProcess

_NO_WEBSOCKET = """window.WebSocket = class extends EventTarget {
  constructor() {
    super();
    setTimeout(() => {
      for (const type of ["error", "close"]) {
        const event = type === "close" ? new CloseEvent("close", { code: 1006 }) : new Event("error");
        this.dispatchEvent(event);
        this[`on${type}`]?.(event);
      }
    });
  }
  close() {}
  send() { throw new DOMException("not open", "InvalidStateError"); }
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(server: ServerProcess) -> AsyncIterator[Proxy]:
    async with Proxy(server.port) as proxy:
        yield proxy


async def _whole_call(person: Invite, at: str | None, query: str, scripts: tuple[str, ...] = ()) -> None:
    """Ann, on this way, calls Bob, on the usual one; then he calls her."""
    ann, bob = await asyncio.gather(person("Ann", at=at, query=query, scripts=scripts), person("Bob"))
    await connect(ann, bob)
    await expect_media(ann.page, bob.page)
    await bob.hang_up()
    await ann.reads("Call ended")
    await connect(bob, ann)
    await ann.hang_up()
    await bob.reads("Call ended")
    assert ann.console == [], "nothing to complain about"


async def test_a_call_over_websocket(person: Invite, proxy: Proxy) -> None:
    await _whole_call(person, proxy.url, "transport=websocket")
    assert "GET /signal" in proxy.paths
    assert not [path for path in proxy.paths if "/signal/sessions" in path]


async def test_a_call_over_http(person: Invite, proxy: Proxy) -> None:
    await _whole_call(person, proxy.url, "transport=http")
    assert "GET /signal" not in proxy.paths
    assert [path for path in proxy.paths if "/events" in path]


async def test_a_call_where_websocket_is_blocked_on_the_way(person: Invite, proxy: Proxy) -> None:
    proxy.blocks_websocket = True
    ann, bob = await asyncio.gather(person("Ann", at=proxy.url), person("Bob"))
    await connect(ann, bob)
    await expect_media(ann.page, bob.page)
    assert [path for path in proxy.paths if "/events" in path]


async def test_a_call_where_the_browser_has_no_websocket(person: Invite) -> None:
    ann, bob = await asyncio.gather(person("Ann", scripts=(_NO_WEBSOCKET,)), person("Bob"))
    await connect(bob, ann)
    await expect_media(ann.page, bob.page)


async def test_a_call_where_event_streams_are_held_back(person: Invite, proxy: Proxy) -> None:
    proxy.blocks_websocket = True
    proxy.holds_streams = True
    ann, bob = await asyncio.gather(person("Ann", at=proxy.url), person("Bob"))
    await ann.call_button(bob).click(timeout=15_000)
    await bob.answer()
    await ann.reads("Connected")
    await expect_media(ann.page, bob.page)
    assert [path for path in proxy.paths if "/poll" in path]
    await bob.hang_up()
    await ann.reads("Call ended")


@pytest.mark.parametrize("query", ["transport=websocket", "transport=http"])
async def test_a_lost_way_to_the_server_alone_leaves_the_call_connected(
    person: Invite, proxy: Proxy, query: str
) -> None:
    ann, bob = await asyncio.gather(person("Ann", at=proxy.url, query=query), person("Bob"))
    await connect(ann, bob)
    proxy.cut()
    await expect(ann.page.get_by_role("alert")).to_contain_text("The server is out of reach")
    await expect_media(ann.page, bob.page)
    for one in (ann, bob):
        await expect(one.status).to_have_text("Connected")
    proxy.mend()
    await expect(ann.page.get_by_role("alert")).to_have_count(0, timeout=20_000)
    await bob.hang_up()
    await ann.reads("Call ended")
    for one in (ann, bob):
        assert "Reconnecting…" not in await one.heard()


async def test_hanging_up_while_the_server_is_out_of_reach_reaches_the_other_later(
    person: Invite, proxy: Proxy
) -> None:
    ann, bob = await asyncio.gather(person("Ann", at=proxy.url), person("Bob"))
    await connect(ann, bob)
    proxy.cut()
    await ann.hang_up()
    await ann.reads("Call ended")
    proxy.mend()
    await bob.reads("Call ended", within_s=20)


async def test_sockets_that_break_again_and_again_lose_and_double_nothing(person: Invite, proxy: Proxy) -> None:
    ann, bob = await asyncio.gather(person("Ann", at=proxy.url), person("Bob", at=proxy.url))
    for _ in range(3):
        proxy.abort()
        await ann.call(bob)
        proxy.abort()
        await expect(bob.ringing).to_be_visible(timeout=20_000)
        proxy.abort()
        await bob.answer()
        proxy.abort()
        for one in (ann, bob):
            await one.reads("Connected", within_s=20)
        proxy.abort()
        await ann.hang_up()
        await bob.reads("Call ended", within_s=20)
    for one in (ann, bob):
        await expect(one.page.get_by_role("list", name="History").get_by_role("listitem")).to_have_count(3)
