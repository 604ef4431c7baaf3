"""Pictures of the page's states, for people to look at: `pytest tests/e2e --pictures DIR`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from e2e.invitations import Invite
from e2e.people import Person
from e2e.states import states

pytestmark = pytest.mark.pictures

LOOKS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 360, "height": 640},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.config.getoption("--pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _take(one: Person, folder: Path, name: str) -> None:
    picture = folder / f"{name.replace(' ', '-')}.png"
    await one.page.screenshot(path=picture)
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize("look", LOOKS)
async def test_pictures_of_every_state(person: Invite, folder: Path, tmp_path: Path, look: str) -> None:
    async for state, one in states(person, tmp_path, **LOOKS[look]):
        await _take(one, folder, f"{look}-{state}")


async def test_pictures_in_chinese(person: Invite, folder: Path) -> None:
    look = {"viewport": {"width": 1280, "height": 800}}
    ann, bob = await asyncio.gather(person("安娜", **look), person("小明", **look))
    await ann.sees(bob)
    chinese = ann.page.get_by_role("combobox", name="Language")
    await chinese.select_option(label="中文")
    await _take(ann, folder, "chinese-lobby")
    await bob.page.get_by_role("combobox", name="Language").select_option(label="中文")
    await ann.button("呼叫 小明").click()
    await bob.page.get_by_role("dialog", name="来电").wait_for()
    await _take(bob, folder, "chinese-ringing")
    await bob.button("接听").click()
    await ann.page.wait_for_function("document.querySelector('video[data-role=remote]')?.videoWidth > 0")
    await _take(ann, folder, "chinese-call")
    await ann.button("检查器").click()
    await ann.page.locator('[data-step="connected"]').first.wait_for()
    await _take(ann, folder, "chinese-inspector")
