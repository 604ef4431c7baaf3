"""Echo: somebody to call when nobody else is there. It sends back what it hears and sees, as it came."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import peerline
from peerline.client import Call, CallOverError
from peerline.errors import PeerlineError
from peerline.media import EncodedTrack, MediaStream, MediaStreamTrack

__all__ = ["Echo"]

log = logging.getLogger("peerline.echo")

# So many people at once; a device for each of them, and one that waits.
MAX_CALLS = 12
# The page stays in a call until somebody hangs up: who forgot it is not kept for ever.
LONGEST_CALL_S = 3600.0
_AGAIN_S = 2.0

_HELLO = (
    "Hello {name}! I am Echo: you see and hear yourself, by way of the server. "
    "Write something, and I say it back.\n"
    "{name}，你好！我是 Echo：你看到和听到的是经服务器返回的自己。写点什么，我会重复给你。"
)
_ROUND_TRIP = "The way to me and back takes {ms:.1f} ms. / 往返时延 {ms:.1f} 毫秒。"


class Echo:
    """`await Echo(url).run()` until it is cancelled. `identity`: `key`, `token`, `tls`, `tuning` … of `connect`."""

    def __init__(self, url: str, *, name: str = "Echo", **identity: Any) -> None:
        self._url = url
        self._name = name
        self._identity = identity
        self._work: set[asyncio.Task[None]] = set()
        self.calls = 0
        """How many are talking to it."""

    async def run(self) -> None:
        """Always one device waits for the next call."""
        try:
            while True:
                try:
                    await self._wait()
                except PeerlineError as error:
                    log.warning("Echo cannot sign in: %s", error)
                    await asyncio.sleep(_AGAIN_S)
        finally:
            for task in self._work:
                task.cancel()

    async def _wait(self) -> None:
        """Sign in, and take one call. Whoever takes it goes on by itself."""
        me = await peerline.connect(self._url, name=self._name, **self._identity)
        try:
            call = await anext(me.calls.__aiter__())
        except BaseException as end:
            await me.close()
            if not isinstance(end, StopAsyncIteration):
                raise
            await asyncio.sleep(_AGAIN_S)
            return
        task = asyncio.ensure_future(self._take(me, call))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        while len(self._work) >= MAX_CALLS:
            await asyncio.wait(self._work, return_when=asyncio.FIRST_COMPLETED)

    async def _take(self, me: Any, call: Call) -> None:
        self.calls += 1
        try:
            async with asyncio.timeout(LONGEST_CALL_S):
                await talk(call)
        except (CallOverError, TimeoutError):
            pass
        except Exception:
            log.exception("a call with Echo failed")
        finally:
            self.calls -= 1
            await me.close()


async def talk(call: Call) -> None:
    """One call: sound, pictures and text go back."""
    call.on_connection = lambda pc: send_back(pc)
    await call.accept(call.media)
    async with call:
        await call.send(_HELLO.format(name=call.peer.n))
        telling = asyncio.ensure_future(_tell_round_trip(call))
        try:
            async for message in call.messages:
                await call.send(message.text)
        finally:
            telling.cancel()


def send_back(pc: Any) -> None:
    """Every track that comes is sent back, encoded as it is."""

    def on_track(event: Any) -> None:
        back = EncodedTrack(event.track.kind, "echo")
        back.onkeyframe = lambda _: event.track.request_key_frame()
        pc.addTrack(back, event.streams[0] if event.streams else MediaStream())
        event.track.onended = lambda _: back.stop()
        copying = asyncio.ensure_future(_copy(event.track, back))
        running.add(copying)
        copying.add_done_callback(running.discard)

    running: set[asyncio.Task[None]] = set()
    pc.ontrack = on_track


async def _copy(track: MediaStreamTrack, back: EncodedTrack) -> None:
    async with track.encoded_frames() as frames:
        async for frame in frames:
            back.write(frame)


async def _tell_round_trip(call: Call) -> None:
    """As soon as it was measured."""
    for _ in range(20):
        await asyncio.sleep(0.5)
        report = await call.pc.getStats() if call.pc is not None else {}
        for one in report.values():
            if one["type"] == "candidate-pair" and one.get("currentRoundTripTime") and one.get("nominated"):
                await call.send(_ROUND_TRIP.format(ms=one["currentRoundTripTime"] * 1000))
                return
