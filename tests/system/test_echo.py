"""Echo without a browser: sound goes there and back, also to several at once; who has its name keeps it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

import pytest

import peerline
from peerline.client import Client
from peerline.media import EncodedFrame, EncodedTrack
from peerline.robots import Echo
from system.conftest import Serve, until

FRAMES = 40


async def hear_oneself(me: Client) -> list[EncodedFrame]:
    """What comes back of forty frames."""
    track = EncodedTrack("audio")
    heard: list[EncodedFrame] = []
    all_heard = asyncio.Event()
    reading: list[Any] = []

    async def read(remote: Any) -> None:
        async for frame in remote.encoded_frames():
            heard.append(frame)
            if len(heard) == FRAMES:
                all_heard.set()

    def prepare(pc: Any) -> None:
        pc.addTrack(track, peerline.MediaStream())
        pc.ontrack = lambda event: reading.append(asyncio.ensure_future(read(event.track)))

    async with asyncio.timeout(30), await me.call("Echo", media=["a"], on_connection=prepare) as call:
        for number in range(FRAMES):
            track.write(EncodedFrame(bytes([number]) * 40, number * 960, "opus"))
            await asyncio.sleep(0.02)  # as one speaks
        await all_heard.wait()
        message = await anext(aiter(call.messages))
        assert "I am Echo" in message.text
        await call.send("back?")
        async for said in call.messages:
            if said.text == "back?":
                break
    for task in reading:
        task.cancel()
    return heard


async def test_what_several_people_say_comes_back_to_each_as_it_was(serve: Serve) -> None:
    server = serve("--no-db", "--echo")
    async with contextlib.AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(peerline.connect(server.url, name=name, key=name * 6))
            for name in ("Ann_", "Bob_", "Cat_")
        ]
        shown = await people[0].watch()
        await until(lambda: "echo" in shown, "Echo is online")
        for heard in await asyncio.gather(*map(hear_oneself, people)):
            assert [frame.data[0] for frame in heard] == list(range(FRAMES))
            stamps = [frame.timestamp for frame in heard]
            assert {after - before for before, after in itertools.pairwise(stamps)} == {960}


async def test_who_has_the_name_keeps_it_and_the_robot_waits(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve("--no-db")
    async with peerline.connect(server.url, name="Echo", key="k" * 22) as person:
        robot = asyncio.ensure_future(Echo(server.url, key="r" * 22).run())
        await until(lambda: "[taken]" in caplog.text, "the robot is told that its name is taken")
        assert not robot.done()
        robot.cancel()
        assert person.state == "connected"
