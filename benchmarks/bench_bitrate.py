"""Whether `b=AS` in a description holds, between Peerline and a real Chromium, in both directions.

    python benchmarks/bench_bitrate.py [--limits 200,500,1500] [--settle 5,12] [--seconds 6] [--json]

1280x720 moving noise at 30/s. The receiver's description is edited with `peerline.sdp.set_bandwidth` before the sender
gets it. The bitrate of the packets that arrive is counted, headers of RTP included, for some seconds after each of the
times that `--settle` says: an encoder that makes pictures smaller step by step is not where it wants to be after five.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from playwright.async_api import Playwright, async_playwright

# The ends of the interoperability tests live beside them.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from e2e.chromium import launch
from interop.bitrate import Direction, arriving_kbps
from interop.chromium_end import ChromiumEnd

WHO: dict[Direction, str] = {"ours": "we send  ", "theirs": "Chromium "}


async def measure(
    playwright: Playwright, direction: Direction, limit_bps: int, windows: list[tuple[float, float]]
) -> list[float]:
    """kbit/s that arrive in each window, in a fresh browser."""
    browser = await launch(playwright, "--disable-features=WebRtcHideLocalIpsWithMdns")
    try:
        chromium = await ChromiumEnd.start(await browser.new_page())
        return await arriving_kbps(chromium, direction, limit_bps, windows)
    finally:
        await browser.close()


async def run(options: argparse.Namespace) -> None:
    table: dict[str, dict[str, dict[str, float]]] = {}
    windows = [(after_s, options.seconds) for after_s in map(float, options.settle.split(","))]
    async with async_playwright() as playwright:
        for direction, who in WHO.items():
            for limit in map(int, options.limits.split(",")):
                rates = await measure(playwright, direction, limit * 1000, windows)
                told = {f"after {after_s:g} s": rate for (after_s, _), rate in zip(windows, rates, strict=True)}
                table.setdefault(direction, {})[str(limit)] = told
                if not options.json:
                    shown = ", ".join(f"{when} {rate:5.0f} ({rate / limit:4.0%})" for when, rate in told.items())
                    print(f"{who} limit {limit:5} kbit/s: {shown}", flush=True)
    if options.json:
        print(json.dumps(table))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--limits", default="200,500,1500", help="kbit/s")
    p.add_argument("--settle", default="5,12", help="seconds after the connection")
    p.add_argument("--seconds", type=float, default=6)
    p.add_argument("--json", action="store_true")
    asyncio.run(run(p.parse_args()))


if __name__ == "__main__":
    main()
