"""The page on a phone: nothing scrolls sideways, everything can be reached and hit with a thumb."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.inspection import out_of_reach, too_small, too_wide
from e2e.invitations import Invite
from e2e.states import states

PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
LANDSCAPE = {"viewport": {"width": 640, "height": 360}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("screen", [PHONE, LANDSCAPE], ids=["upright", "across"])
async def test_every_state_fits_a_phone(person: Invite, tmp_path: Path, screen: dict[str, object]) -> None:
    found = []
    async for state, one in states(person, tmp_path, **screen):
        for check in (too_wide, too_small, out_of_reach):
            found += [f"{state}, {check.__name__}: {fault}" for fault in await check(one.page)]
    assert found == []
