"""`b=` in a description holds, in both directions: what arrives is below it, and not far below (RFC 8859, RFC 3890)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interop.bitrate import Direction, arriving_kbps
from interop.chromium_end import ChromiumEnd
from interop.conftest import MakeEnd

pytestmark = pytest.mark.long

# Chromium makes pictures smaller step by step: after twelve seconds it is done, with most limits after five.
WINDOW = (12.0, 6.0)


@pytest.mark.parametrize("limit_kbps", [200, 500, 1500])
@pytest.mark.parametrize("direction", ["ours", "theirs"])
async def test_what_arrives_keeps_to_the_limit_and_uses_it(
    make_end: MakeEnd, direction: Direction, limit_kbps: int, record_property: Callable[[str, object], None]
) -> None:
    chromium = await make_end("chromium")
    assert isinstance(chromium, ChromiumEnd)
    (kbps,) = await arriving_kbps(chromium, direction, limit_kbps * 1000, [WINDOW])
    record_property("kbps", round(kbps))
    print(f"\n{direction}, {limit_kbps} kbit/s: {kbps:.0f}")
    assert 0.85 * limit_kbps <= kbps <= limit_kbps
