"""Somebody to call when nobody else is there: sends back what it hears and sees, encoded as it came.

`peerline serve` has such a robot by itself. Run `peerline serve --no-echo`, then this program, open
http://localhost:8080, register, and call Echo.
"""

import asyncio
import sys

import peerline
from peerline.client import Call, CallOverError


async def main(url: str, name: str = "Echo") -> None:
    """Until somebody presses Ctrl-C."""
    async with peerline.connect(url, name=name) as me:
        print(f"Open {url}, register, and call {me.me.n}.", flush=True)
        async for call in me.calls:
            try:
                await talk(call)
            except CallOverError as over:
                print(f"{call.peer.n} did not get through: {over.code}", flush=True)


async def talk(call: Call) -> None:
    """One call. What is to be sent is said before it is taken."""
    call.on_connection = send_back
    await call.accept(call.media)
    async with call:
        await call.send(f"Hello {call.peer.n}! You see and hear yourself.")
        print(await call.ended(), flush=True)


def send_back(pc: peerline.RTCPeerConnection) -> None:
    """Whatever comes goes back."""

    async def copy(track: peerline.MediaStreamTrack, back: peerline.EncodedTrack) -> None:
        async for frame in track.encoded_frames():
            back.write(frame)

    def on_track(event: peerline.RTCTrackEvent) -> None:
        back = peerline.EncodedTrack(event.track.kind)
        back.onkeyframe = lambda _: event.track.request_key_frame()
        pc.addTrack(back, *event.streams)
        copying.append(asyncio.ensure_future(copy(event.track, back)))

    copying: list[asyncio.Future[None]] = []
    pc.ontrack = on_track


if __name__ == "__main__":
    try:
        asyncio.run(main(*(sys.argv[1:] or ["http://localhost:8080"])))
    except KeyboardInterrupt:
        pass
