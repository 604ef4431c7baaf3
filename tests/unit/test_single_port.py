"""Many connections on one UDP port: `Tuning(port=…)`."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from connections import described, negotiate, trickle

from media.tracks import until
from peerline import RTCDataChannel, RTCPeerConnection, RTCPeerConnectionIceErrorEvent
from peerline.errors import ConfigError
from peerline.webrtc.tuning import Tuning

WITHIN_S = 20


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("0.0.0.0", 0))
        number: int = free.getsockname()[1]
        return number


async def echo(server: RTCPeerConnection, name: str) -> RTCDataChannel:
    """A client's channel to it, which answers with the server's name."""
    client = RTCPeerConnection()
    trickle(client, server)
    server.ondatachannel = lambda event: setattr(
        event.channel, "onmessage", lambda said: event.channel.send(f"{name}: {said.data}")
    )
    channel = client.createDataChannel("echo")
    await negotiate(client, server)
    async with asyncio.timeout(WITHIN_S):
        await channel.opened()
    return channel


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free, contextlib.suppress(OSError):
        free.bind(("0.0.0.0", port))
        return True
    return False


async def test_twenty_connections_on_one_port_are_told_apart(port: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        servers = [RTCPeerConnection(tuning=Tuning(port=port)) for _ in range(20)]
        for server in servers:
            stack.callback(server.close)
        channels = await asyncio.gather(*(echo(server, str(at)) for at, server in enumerate(servers)))
        for server in servers:
            hosts = [line for line in described(server).sdp.splitlines() if " typ host" in line]
            assert hosts
            assert all(line.split()[5] == str(port) for line in hosts)
        for at, channel in enumerate(channels):
            channel.send("hello")
            async with asyncio.timeout(WITHIN_S):
                assert await anext(aiter(channel)) == f"{at}: hello"
        # One goes, the others stay.
        servers[0].close()
        channels[1].send("still there?")
        async with asyncio.timeout(WITHIN_S):
            assert await anext(aiter(channels[1])) == "1: still there?"
    await until(lambda: is_free(port), WITHIN_S)


async def test_a_restart_on_a_port_in_common_goes_on(port: int) -> None:
    beside, server = (RTCPeerConnection(tuning=Tuning(port=port)) for _ in range(2))
    async with beside, server, RTCPeerConnection() as client:
        await echo(beside, "beside")
        trickle(client, server)
        channel = client.createDataChannel("x")
        heard: asyncio.Queue[str] = asyncio.Queue()
        server.ondatachannel = lambda event: setattr(
            event.channel, "onmessage", lambda said: heard.put_nowait(said.data)
        )
        await negotiate(client, server)
        async with asyncio.timeout(WITHIN_S):
            await channel.opened()
            for number in range(3):
                server.restartIce()
                client.restartIce()
                await negotiate(client, server)
                channel.send(str(number))
                assert await heard.get() == str(number)


async def test_a_port_that_somebody_else_has_is_told(port: int) -> None:
    errors: asyncio.Queue[RTCPeerConnectionIceErrorEvent] = asyncio.Queue()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", port))
        async with RTCPeerConnection(tuning=Tuning(port=port)) as pc:
            pc.onicecandidateerror = errors.put_nowait
            pc.createDataChannel("x")
            await pc.setLocalDescription()
            async with asyncio.timeout(WITHIN_S):
                error = await errors.get()
    assert (error.errorCode, error.port) == (701, port)
    assert "no socket" in error.errorText


@pytest.mark.parametrize("wrong", [{"port": 0}, {"port": 70000}, {"port": 5000, "ports": (5000, 5001)}])
def test_an_impossible_port_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Tuning(**wrong)  # type: ignore[arg-type]
