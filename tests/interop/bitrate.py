"""How much arrives of a picture that no encoder can make small, where the receiver's description has a limit."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import peerline
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

Direction = Literal["ours", "theirs"]


def _limited(description: Description, limit_bps: int) -> Description:
    text = sdp.serialise(sdp.set_bandwidth(sdp.parse(description["sdp"]), "video", limit_bps))
    return {**description, "sdp": text}


async def arriving_kbps(
    chromium: ChromiumEnd, direction: Direction, limit_bps: int, windows: list[tuple[float, float]]
) -> list[float]:
    """kbit/s, headers of RTP included, in each window: seconds after the connection, and seconds it lasts.

    Windows follow each other. 1280x720 moving noise at 30/s; `ours`: we send. The description of whoever receives is
    edited with `peerline.sdp.set_bandwidth` before the sender gets it.
    """
    ours = PeerlineEnd()
    try:
        if direction == "ours":
            track = peerline.MediaStreamTrack("video", source=TestPattern(1280, 720, 30, is_noisy=True))
            ours.connection.addTrack(track, peerline.MediaStream([track]))
            answer = await chromium.answer(await ours.offer())
            await ours.accept(_limited(answer, limit_bps))
        else:
            await chromium.page.evaluate(_NOISE)
            answer = await ours.answer(await chromium.offer())
            await chromium.accept(_limited(answer, limit_bps))
        await asyncio.gather(trickle(ours, chromium), trickle(chromium, ours))
        await ours.state("connected")
        loop = asyncio.get_running_loop()
        began_s = loop.time()

        async def received_bytes() -> int:
            found: list[Any] = (
                await chromium.stats("inbound-rtp")
                if direction == "ours"
                else [one for one in (await ours.connection.getStats()).values() if one["type"] == "inbound-rtp"]
            )
            return sum(one["bytesReceived"] + one["headerBytesReceived"] for one in found)

        rates: list[float] = []
        for after_s, seconds in windows:
            await asyncio.sleep(began_s + after_s - loop.time())  # a bitrate is of a time: it has to pass
            before, before_s = await received_bytes(), loop.time()
            await asyncio.sleep(seconds)
            rates.append((await received_bytes() - before) * 8 / (loop.time() - before_s) / 1000)
        return rates
    finally:
        await ours.close()
