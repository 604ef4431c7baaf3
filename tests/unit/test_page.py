"""The routes of the page: at the root, at /doctor, and below the path of another app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from peerline.server import page


@pytest.fixture
async def http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A page of a few bytes, mounted below /calls."""
    (tmp_path / "index.html").write_text("<!doctype html>the page")
    monkeypatch.setattr(page, "STATIC", tmp_path)
    app = Starlette(routes=[Mount("/calls", routes=page.Page().routes())])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", ["/calls/", "/calls/doctor", "/calls/doctor?lang=zh"])
async def test_the_page_is_the_same_at_each_of_its_addresses(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    assert "the page" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_slash_too_many_leads_back_and_the_query_goes_along(http: httpx.AsyncClient) -> None:
    answer = await http.get("/calls/doctor/?lang=zh")
    assert answer.status_code == 307
    assert answer.headers["location"] == "../doctor?lang=zh"
    followed = await http.get("/calls/doctor/?lang=zh", follow_redirects=True)
    assert str(followed.url) == "http://localhost/calls/doctor?lang=zh"
    assert followed.status_code == 200


@pytest.mark.parametrize("path", ["/calls/nothing", "/calls/.env", "/calls/doctor/nothing", "/calls/%2e%2e/page.py"])
async def test_what_is_not_there_is_a_404(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404
