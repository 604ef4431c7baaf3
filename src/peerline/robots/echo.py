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

# So many people at once. Each device takes one call; a call rings at all that are free, and the first one has it.
DEVICES = 8
# The page stays in a call until somebody hangs up: who forgot it is not kept for ever.
LONGEST_CALL_S = 3600.0
_AGAIN_S, _LONGEST_PAUSE_S = 2.0, 60.0

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
        self._has_complained = False

    async def run(self) -> None:
        """All devices wait for calls."""
        await asyncio.gather(*(self._stay() for _ in range(DEVICES)))

    async def _stay(self) -> None:
        """One device: signed in, whatever happens."""
        pause_s = _AGAIN_S
        while True:
            try:
                async with peerline.connect(self._url, name=self._name, **self._identity) as me:
                    pause_s = _AGAIN_S
                    async for call in me.calls:
                        await self._take(call)
            except PeerlineError as error:
                if pause_s == _AGAIN_S and not self._has_complained:
                    self._has_complained = True
                    log.warning("Echo cannot sign in, and goes on trying: %s [%s]", error.message, error.code)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _take(self, call: Call) -> None:
        try:
            async with asyncio.timeout(LONGEST_CALL_S):
                await talk(call)
        except (CallOverError, TimeoutError):
            pass  # another device was faster, or they have hung up
        except Exception:
            log.exception("a call with Echo failed")
        finally:
            await call.hangup()


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
