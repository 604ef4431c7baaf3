"""The examples do what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["mount_in_starlette", "mount_in_fastapi"])
async def test_a_mounted_peerline_answers_below_its_path_beside_the_apps_own_routes(name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    transport = httpx.ASGITransport(module.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert "/calls/" in (await client.get("/")).text
        assert (await client.get("/calls/healthz")).json() == {"status": "ok"}
        hello = {"t": "hello", "d": {"v": [1], "name": "Ann", "own": "k" * 22, "dev": "d" * 22}}
        welcome = (await client.post("/calls/signal/sessions", json=hello)).json()
        assert welcome["t"] == "welcome"
        assert welcome["d"]["ice"]["servers"] == [{"urls": ["stun:localhost:3478"]}]
        key = {"Authorization": f"Bearer {welcome['d']['key']}"}
        left = await client.delete(f"/calls/signal/sessions/{welcome['d']['sid']}", headers=key)
        assert left.status_code == 204
    await module.calls.state.service.close()
