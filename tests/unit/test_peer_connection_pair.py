"""Two connections in one process: they connect, pass data, restart, and notice when the other is gone."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from connections import described, negotiate, trickle

from peerline import RTCDataChannel, RTCPeerConnection
from peerline.errors import NetworkError
from peerline.eventloop import Promise


def opened(channel: RTCDataChannel) -> Promise[None]:
    done: Promise[None] = Promise()
    channel.onopen = lambda _: done.resolve()
    return done


def announced(pc: RTCPeerConnection) -> Promise[RTCDataChannel]:
    done: Promise[RTCDataChannel] = Promise()
    pc.ondatachannel = lambda event: done.resolve(event.channel)
    return done


def message(channel: RTCDataChannel) -> Promise[Any]:
    done: Promise[Any] = Promise()
    channel.onmessage = lambda event: done.resolve(event.data)
    return done


async def within(awaitable: Any, seconds: float = 10) -> Any:
    """What hangs, fails."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def test_two_connections_pass_data_both_ways() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        trickle(caller, callee)
        mine = caller.createDataChannel("chat")
        coming = announced(callee)
        await negotiate(caller, callee)
        await within(caller.connected())
        await within(callee.connected())
        theirs = await within(coming)
        if mine.readyState != "open":
            await within(opened(mine))
        got = message(theirs)
        mine.send("hello")
        assert await within(got) == "hello"
        back = message(mine)
        theirs.send(b"\x00\x01")
        assert await within(back) == b"\x00\x01"
        assert caller.sctp is not None
        assert caller.sctp.transport.state == "connected"
        assert caller.iceConnectionState in ("connected", "completed")


async def test_candidates_in_the_descriptions_are_enough() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        caller.createDataChannel("chat")
        await caller.setLocalDescription()
        await within(complete(caller))
        await callee.setRemoteDescription(described(caller))
        await callee.setLocalDescription()
        await within(complete(callee))
        await caller.setRemoteDescription(described(callee))
        await within(caller.connected())
        await within(callee.connected())


def complete(pc: RTCPeerConnection) -> Promise[None]:
    done: Promise[None] = Promise()
    if pc.iceGatheringState == "complete":
        done.resolve()
    pc.onicegatheringstatechange = lambda _: done.resolve() if pc.iceGatheringState == "complete" else None
    return done


@pytest.mark.parametrize("policy", ["balanced", "max-compat", "max-bundle"])
async def test_audio_video_and_data_share_a_transport(policy: str) -> None:
    async with RTCPeerConnection(bundlePolicy=policy) as caller, RTCPeerConnection() as callee:
        trickle(caller, callee)
        caller.addTransceiver("audio")
        caller.addTransceiver("video")
        caller.createDataChannel("chat")
        await negotiate(caller, callee)
        await within(caller.connected())
        assert caller.sctp is not None
        transports = {sender.transport for sender in caller.getSenders()} | {caller.sctp.transport}
        assert len(transports) == 1


async def test_sections_that_are_not_bundled_have_transports_of_their_own() -> None:
    async with RTCPeerConnection(bundlePolicy="max-compat") as caller, RTCPeerConnection() as callee:
        trickle(caller, callee)
        caller.addTransceiver("audio")
        caller.addTransceiver("video")
        await caller.setLocalDescription()
        offer = described(caller).sdp.replace("a=group:BUNDLE 0 1\r\n", "")
        await callee.setRemoteDescription(type="offer", sdp=offer)
        await callee.setLocalDescription()
        await caller.setRemoteDescription(described(callee))
        await within(caller.connected())
        await within(callee.connected())
        transports = [sender.transport for sender in caller.getSenders()]
        assert transports[0] is not transports[1]
        assert [transport.state for transport in transports if transport is not None] == ["connected", "connected"]


async def test_ice_restarts_while_data_flows() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        trickle(caller, callee)
        mine = caller.createDataChannel("chat")
        coming = announced(callee)
        await negotiate(caller, callee)
        theirs = await within(coming)
        await within(caller.connected())
        await within(mine.opened())
        before = caller.sctp.transport if caller.sctp is not None else None
        taken = hashlib.sha256()
        whole: Promise[None] = Promise()
        left = 200

        def take(event: Any) -> None:
            nonlocal left
            taken.update(event.data)
            left -= 1
            if not left:
                whole.resolve()

        theirs.onmessage = take
        sent = hashlib.sha256()
        for number in range(200):
            block = bytes([number]) * 10_000
            sent.update(block)
            mine.send(block)
            if number == 100:
                caller.restartIce()
                await negotiate(caller, callee)
        await within(whole)
        assert taken.digest() == sent.digest()
        assert caller.sctp is not None
        assert caller.sctp.transport is before


async def test_a_wrong_fingerprint_connects_nothing() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        trickle(caller, callee)
        mine = caller.createDataChannel("chat")
        await caller.setLocalDescription()
        await callee.setRemoteDescription(described(caller))
        await callee.setLocalDescription()
        lines = described(callee).sdp.splitlines(keepends=True)
        wrong = [
            f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\n" if "fingerprint" in line else line for line in lines
        ]
        await caller.setRemoteDescription(type="answer", sdp="".join(wrong))
        with pytest.raises(NetworkError):
            await within(caller.connected())
        assert caller.connectionState == "failed"
        assert mine.readyState != "open"


async def test_closing_one_end_closes_the_channels_of_the_other() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        trickle(caller, callee)
        mine = caller.createDataChannel("chat")
        await negotiate(caller, callee)
        if mine.readyState != "open":
            await within(opened(mine))
        closed: Promise[None] = Promise()
        mine.onclose = lambda _: closed.resolve()
        callee.close()
        await within(closed)


async def test_a_connection_serves_channels_that_were_made_later() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        trickle(caller, callee)
        caller.createDataChannel("first")
        await negotiate(caller, callee)
        await within(caller.connected())
        coming = announced(callee)
        caller.createDataChannel("second", ordered=False, maxRetransmits=0)
        while (channel := await within(coming)).label != "second":
            coming = announced(callee)
        assert channel.ordered is False
        assert channel.maxRetransmits == 0


async def test_an_offer_of_somebody_else_that_is_taken_back_changes_nothing() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee, RTCPeerConnection() as stranger:
        trickle(caller, callee)
        mine = caller.createDataChannel("chat")
        coming = announced(callee)
        await negotiate(caller, callee)
        theirs = await within(coming)
        await within(caller.connected())
        await within(mine.opened())
        before = caller.sctp
        stranger.createDataChannel("x")
        await stranger.setLocalDescription()
        await caller.setRemoteDescription(described(stranger))
        await caller.setRemoteDescription({"type": "rollback"})
        assert caller.sctp is before
        assert caller.connectionState == "connected"
        got = message(theirs)
        mine.send("still here")
        assert await within(got) == "still here"


async def test_when_somebody_else_answers_the_connection_is_with_them() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as first, RTCPeerConnection() as second:
        trickle(caller, first)
        mine = caller.createDataChannel("chat")
        await negotiate(caller, first)
        if mine.readyState != "open":
            await within(opened(mine))
        closed: Promise[None] = Promise()
        mine.onclose = lambda _: closed.resolve()
        trickle(caller, second)
        coming = announced(second)
        await caller.setLocalDescription()
        await second.setRemoteDescription(described(caller))
        await second.setLocalDescription()
        await caller.setRemoteDescription(described(second))
        await within(closed)
        caller.createDataChannel("again")
        assert (await within(coming)).label == "again"
