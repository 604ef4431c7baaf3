"""Somebody to talk to at `peerline serve`: signs in as Echo, takes every call, and says everything backwards.

Run `peerline serve`, then this program, open http://localhost:8080, register, and call Echo.
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
    """One call; `async with` takes it, and hangs up at the end."""
    async with call:
        await call.send(f"Hello {call.peer.n}! Say something.")
        async for message in call.messages:
            await call.send(message.text[::-1])


if __name__ == "__main__":
    try:
        asyncio.run(main(*(sys.argv[1:] or ["http://localhost:8080"])))
    except KeyboardInterrupt:
        pass
