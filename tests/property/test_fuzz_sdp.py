"""A short run of the fuzzer of descriptions and candidates; `make fuzz-sdp` is the long one."""

from __future__ import annotations

from collections import Counter

from property.fuzz_sdp import CHECKS, run


async def test_broken_descriptions_and_candidates_raise_nothing_but_what_is_documented() -> None:
    came: Counter[str] = Counter()
    for seed in range(60):
        came += await run(seed)
    for check in CHECKS:
        assert came[f"{check.__name__} refused"] > 0
        assert came[f"{check.__name__} taken"] > 0
