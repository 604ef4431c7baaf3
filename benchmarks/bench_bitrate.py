"""Whether `b=AS` in a description holds, between Peerline and a real Chromium, in both directions.

    python benchmarks/bench_bitrate.py [--limits 200,500,1500] [--settle 5] [--seconds 6] [--json]

1280x720 moving noise at 30/s. The receiver's description is edited with `peerline.sdp.set_bandwidth` before the sender
gets it. After `settle` seconds the bitrate of the packets that arrive is counted, headers of RTP included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, async_playwright

# The ends of the interoperability tests live beside them.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import peerline
from e2e.chromium import launch
from interop.chromium_end import ChromiumEnd
from interop.end import Description, trickle
from interop.python_end import PeerlineEnd
from peerline import sdp
from peerline.media.sources import TestPattern

# One large picture of noise, shown from another place each time.
_NOISE = """() => {
  const noise = new ImageData(1600, 900);
  for (let at = 0; at < noise.data.length; at++) noise.data[at] = Math.random() * 256;
  const large = Object.assign(document.createElement("canvas"), { width: 1600, height: 900 });
  large.getContext("2d").putImageData(noise, 0, 0);
  const shown = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = shown.getContext("2d");
  setInterval(() => context.drawImage(large, -Math.random() * 320, -Math.random() * 180), 33);
  const stream = shown.captureStream(30);
  window.end.addTrack(stream.getTracks()[0], stream);
}"""


def limited(description: Description, limit_bps: int) -> Description:
    text = sdp.serialise(sdp.set_bandwidth(sdp.parse(description["sdp"]), "video", limit_bps))
    return {**description, "sdp": text}


async def measure(playwright: Playwright, direction: str, limit_bps: int, settle_s: float, seconds: float) -> float:
    """kbit/s that arrive."""
    browser = await launch(playwright, "--disable-features=WebRtcHideLocalIpsWithMdns")
    ours = PeerlineEnd()
    try:
        page = await browser.new_page()
        chromium = await ChromiumEnd.start(page)
        if direction == "ours":
            track = peerline.MediaStreamTrack("video", source=TestPattern(1280, 720, 30, is_noisy=True))
            ours.connection.addTrack(track, peerline.MediaStream([track]))
            answer = await chromium.answer(await ours.offer())
            await ours.accept(limited(answer, limit_bps))
        else:
            await page.evaluate(_NOISE)
            answer = await ours.answer(await chromium.offer())
            await chromium.accept(limited(answer, limit_bps))
        await asyncio.gather(trickle(ours, chromium), trickle(chromium, ours))
        await ours.state("connected")

        async def received() -> int:
            found: list[Any] = (
                await chromium.stats("inbound-rtp")
                if direction == "ours"
                else [one for one in (await ours.connection.getStats()).values() if one["type"] == "inbound-rtp"]
            )
            return sum(one["bytesReceived"] + one["headerBytesReceived"] for one in found)

        await asyncio.sleep(settle_s)
        before = await received()
        await asyncio.sleep(seconds)
        return (await received() - before) * 8 / seconds / 1000
    finally:
        await ours.close()
        await browser.close()


async def run(options: argparse.Namespace) -> None:
    table: dict[str, dict[str, float]] = {}
    async with async_playwright() as playwright:
        for direction in ("ours", "theirs"):
            for limit in map(int, options.limits.split(",")):
                kbps = await measure(playwright, direction, limit * 1000, options.settle, options.seconds)
                table.setdefault(direction, {})[str(limit)] = kbps
                if not options.json:
                    who = "we send   " if direction == "ours" else "Chromium  "
                    print(f"{who} limit {limit:5} kbit/s: {kbps:7.0f} arrive, {kbps / limit:.0%}", flush=True)
    if options.json:
        print(json.dumps(table))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--limits", default="200,500,1500")
    p.add_argument("--settle", type=float, default=5)
    p.add_argument("--seconds", type=float, default=6)
    p.add_argument("--json", action="store_true")
    asyncio.run(run(p.parse_args()))


if __name__ == "__main__":
    main()
