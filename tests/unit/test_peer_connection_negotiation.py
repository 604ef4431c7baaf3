"""Descriptions through RTCPeerConnection: order of events, what is implied, what is refused; how Python calls it."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from connections import described, negotiate, record, turns

from peerline import RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from peerline.errors import (
    InvalidAccessError,
    InvalidModificationError,
    InvalidStateError,
    LoopError,
    OperationError,
)
from peerline.eventloop import Promise
from peerline.webrtc.rtc_error import RTCError


async def test_a_whole_round_in_its_states() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        caller.addTransceiver("audio")
        seen = record(caller, "signalingstatechange"), record(callee, "signalingstatechange")
        await negotiate(caller, callee)
        assert seen[0] == ["signalingstatechange have-local-offer", "signalingstatechange stable"]
        assert seen[1] == ["signalingstatechange have-remote-offer", "signalingstatechange stable"]
        assert caller.pendingLocalDescription is None
        assert caller.currentLocalDescription is described(caller)
        assert caller.currentRemoteDescription is not None
        assert caller.currentRemoteDescription.type == "answer"


async def test_the_event_comes_before_the_promise_and_after_the_change() -> None:
    async with RTCPeerConnection() as pc:
        order: list[str] = []
        pc.onsignalingstatechange = lambda _: order.append(f"event {described(pc).type}")
        await pc.setLocalDescription()
        order.append("promise")
        assert order == ["event offer", "promise"]


async def test_nothing_changes_before_the_task() -> None:
    async with RTCPeerConnection() as pc:
        setting = pc.setLocalDescription()
        assert pc.signalingState == "stable"
        await setting
        assert pc.signalingState == "have-local-offer"


async def test_negotiation_is_asked_for_once_and_not_inside_the_call() -> None:
    async with RTCPeerConnection() as pc:
        seen = record(pc, "negotiationneeded")
        pc.addTransceiver("audio")
        pc.addTransceiver("video")
        assert seen == []
        await turns()
        assert seen == ["negotiationneeded stable"]


async def test_after_an_answer_it_is_asked_for_again_if_something_was_added_meanwhile() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        caller.addTransceiver("audio")
        await caller.setLocalDescription()
        await turns()
        seen = record(caller, "negotiationneeded")
        caller.addTransceiver("video")
        await callee.setRemoteDescription(described(caller))
        await callee.setLocalDescription()
        await turns()
        assert seen == []
        await caller.setRemoteDescription(described(callee))
        await turns()
        assert seen == ["negotiationneeded stable"]


async def test_operations_wait_for_each_other() -> None:
    async with RTCPeerConnection() as pc:
        pc.addTransceiver("audio")
        first, second = pc.createOffer(), pc.setLocalDescription()
        order: list[str] = []
        first.upon(lambda *_: order.append("offer"))
        second.upon(lambda *_: order.append("set"))
        await second
        await turns()
        assert order == ["offer", "set"]


async def test_what_is_refused_at_once_leaves_no_trace() -> None:
    async with RTCPeerConnection() as pc:
        refused = pc.createAnswer()
        assert refused.is_settled
        with pytest.raises(InvalidStateError):
            await refused


async def test_an_offer_meets_an_offer() -> None:
    async with RTCPeerConnection() as polite, RTCPeerConnection() as impolite:
        polite.addTransceiver("audio")
        impolite.addTransceiver("video")
        await polite.setLocalDescription()
        await impolite.setLocalDescription()
        seen = record(polite, "signalingstatechange")
        await polite.setRemoteDescription(described(impolite))
        assert seen == ["signalingstatechange stable", "signalingstatechange have-remote-offer"]
        await polite.setLocalDescription()
        await impolite.setRemoteDescription(described(polite))
        assert [one.mid for one in polite.getTransceivers()] == [None, "0"]


async def test_an_edited_description_is_refused_with_a_hint() -> None:
    async with RTCPeerConnection() as pc:
        pc.addTransceiver("audio")
        offer = await pc.createOffer()
        with pytest.raises(InvalidModificationError) as refused:
            await pc.setLocalDescription(type="offer", sdp=offer.sdp.replace("opus", "OPUS"))
        assert "setCodecPreferences" in (refused.value.hint or "")
        await pc.setLocalDescription(offer)


async def test_what_is_no_sdp_is_an_rtc_error_with_its_line() -> None:
    async with RTCPeerConnection() as pc:
        with pytest.raises(RTCError) as refused:
            await pc.setRemoteDescription(type="offer", sdp="v=0\r\nwhat?\r\n")
        assert refused.value.errorDetail == "sdp-syntax-error"
        assert refused.value.sdpLineNumber == 2
        assert pc.signalingState == "stable"


async def test_what_does_not_fit_is_an_invalid_access_error() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        caller.createDataChannel("x")
        offer = await caller.createOffer()
        with pytest.raises(InvalidAccessError):
            await callee.setRemoteDescription(type="offer", sdp=offer.sdp.replace("a=fingerprint", "a=print"))


async def test_closing_ends_everything_without_an_event() -> None:
    pc = RTCPeerConnection()
    transceiver = pc.addTransceiver("audio")
    pc.createDataChannel("x")
    await pc.setLocalDescription()
    await turns()
    seen = record(pc, "signalingstatechange", "iceconnectionstatechange", "connectionstatechange")
    pc.close()
    pc.close()
    states = (pc.signalingState, pc.iceConnectionState, pc.connectionState)
    assert states == ("closed", "closed", "closed")
    assert transceiver.currentDirection == "stopped"
    await turns()
    assert seen == []
    for refused in (pc.createOffer, pc.createAnswer, pc.setLocalDescription, pc.addIceCandidate):
        with pytest.raises(InvalidStateError):
            await refused()
    for call in (lambda: pc.addTransceiver("audio"), lambda: pc.createDataChannel("y"), pc.setConfiguration):
        with pytest.raises(InvalidStateError):
            call()


async def test_a_promise_that_was_under_way_settles_no_more_after_close() -> None:
    pc = RTCPeerConnection()
    setting = pc.setLocalDescription()
    pc.close()
    await turns(10)
    assert not setting.is_settled


# Candidates ----------------------------------------------------------------------------------------

LINE = "candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host"


async def offered(**more: Any) -> tuple[RTCPeerConnection, RTCPeerConnection]:
    caller, callee = RTCPeerConnection(**more), RTCPeerConnection()
    caller.addTransceiver("audio")
    await caller.setLocalDescription()
    await callee.setRemoteDescription(described(caller))
    return caller, callee


async def test_a_candidate_comes_after_its_description() -> None:
    async with RTCPeerConnection() as pc:
        with pytest.raises(InvalidStateError):
            await pc.addIceCandidate({"candidate": LINE, "sdpMid": "0"})


async def test_a_candidate_says_where_it_belongs() -> None:
    caller, callee = await offered()
    with pytest.raises(TypeError):
        await callee.addIceCandidate({"candidate": LINE})
    with pytest.raises(OperationError):
        await callee.addIceCandidate({"candidate": LINE, "sdpMid": "7"})
    with pytest.raises(OperationError):
        await callee.addIceCandidate({"candidate": LINE, "sdpMLineIndex": 1})
    with pytest.raises(OperationError):
        await callee.addIceCandidate({"candidate": LINE, "sdpMid": "0", "usernameFragment": "nobody"})
    with pytest.raises(OperationError):
        await callee.addIceCandidate({"candidate": "candidate:what?", "sdpMid": "0"})
    caller.close()
    callee.close()


@pytest.mark.parametrize(
    "given",
    [
        RTCIceCandidate(candidate=LINE, sdpMid="0"),
        {"candidate": LINE, "sdpMid": "0"},
        {"candidate": LINE, "sdpMLineIndex": 0},
        RTCIceCandidate(candidate=LINE, sdpMid="0").toJSON(),
    ],
    ids=["object", "mid", "index", "json"],
)
async def test_a_candidate_is_added_to_the_remote_description(given: Any) -> None:
    caller, callee = await offered()
    await callee.addIceCandidate(given)
    assert callee.remoteDescription is not None
    assert f"a={LINE}\r\n" in callee.remoteDescription.sdp
    caller.close()
    callee.close()


@pytest.mark.parametrize("given", [[], [None], [{}], [{"candidate": "", "sdpMid": "0"}]], ids=str)
async def test_the_end_of_candidates_is_said_in_many_ways(given: list[Any]) -> None:
    caller, callee = await offered()
    await callee.addIceCandidate(*given)
    assert callee.remoteDescription is not None
    assert "a=end-of-candidates\r\n" in callee.remoteDescription.sdp
    caller.close()
    callee.close()


async def test_the_description_has_the_candidates_and_one_that_was_kept_stays_as_it_was() -> None:
    caller, callee = await offered()
    kept = described(caller)
    text = kept.sdp
    assert kept is caller.localDescription
    gathered: Promise[None] = Promise()
    caller.onicegatheringstatechange = lambda _: gathered.resolve() if caller.iceGatheringState == "complete" else None
    if caller.iceGatheringState != "complete":
        await gathered
    assert "a=candidate:" in described(caller).sdp
    assert "a=end-of-candidates" in described(caller).sdp
    assert kept.sdp == text
    assert described(caller) is caller.localDescription
    caller.close()
    callee.close()


# Python's ways -------------------------------------------------------------------------------------


async def test_descriptions_are_taken_as_objects_dictionaries_and_keywords() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        caller.addTransceiver("audio")
        offer = await caller.createOffer()
        assert offer["type"] == offer.type == "offer"
        await caller.setLocalDescription({"type": "offer", "sdp": offer.sdp})
        await callee.setRemoteDescription(described(caller).toJSON())
        await callee.setRemoteDescription(type="offer", sdp=offer.sdp)
        await callee.setRemoteDescription(RTCSessionDescription(offer))
        with pytest.raises(TypeError):
            await callee.setRemoteDescription(type="nonsense", sdp="")
        with pytest.raises(TypeError):
            await callee.setRemoteDescription()


async def test_the_older_form_with_callbacks() -> None:
    async with RTCPeerConnection() as pc:
        got: list[Any] = []
        done: Promise[None] = Promise()
        pc.addTransceiver("audio")
        nothing = await pc.createOffer(lambda offer: (got.append(offer.type), done.resolve()), got.append)  # type: ignore[func-returns-value]
        assert nothing is None
        await done
        assert got == ["offer"]
        failed: Promise[None] = Promise()
        await pc.createAnswer(got.append, lambda error: (got.append(error.name), failed.resolve()))  # type: ignore[attr-defined,func-returns-value]
        await failed
        assert got == ["offer", "InvalidStateError"]
        with pytest.raises(TypeError):
            await pc.createOffer(got.append)  # type: ignore[call-overload]


def test_a_connection_is_made_and_filled_without_a_loop() -> None:
    pc = RTCPeerConnection(iceServers=[])
    pc.addTransceiver("audio")
    pc.createDataChannel("x")
    assert asyncio.run(_offer(pc)) == ["audio", "application"]


async def _offer(pc: RTCPeerConnection) -> list[str]:
    offer = await pc.createOffer()
    pc.close()
    return [line[2:].split()[0] for line in offer.sdp.splitlines() if line.startswith("m=")]


def test_a_method_that_is_called_without_a_loop_runs_when_it_is_awaited() -> None:
    pc = RTCPeerConnection()
    pc.addTransceiver("audio")
    offer = asyncio.run(pc.createOffer())
    assert "m=audio" in offer.sdp


def test_connections_work_in_several_loops_one_after_the_other() -> None:
    for _ in range(3):
        asyncio.run(test_a_whole_round_in_its_states())


def test_in_a_child_process_the_parents_connection_is_refused() -> None:
    pc = RTCPeerConnection()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(pc.createOffer())
        except LoopError as error:
            os.write(writing, error.code.encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"forked"
    os.close(reading)


async def test_subclasses_are_ordinary() -> None:
    class Mine(RTCPeerConnection):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    async with Mine("ann") as pc:
        assert repr(pc) == "<Mine stable, new>"
        assert (await pc.createOffer()).type == "offer"


async def test_waiting_for_a_connection_that_is_closed_says_so() -> None:
    pc = RTCPeerConnection()
    waiting = asyncio.create_task(pc.connected())
    await turns()
    pc.close()
    with pytest.raises(InvalidStateError):
        await waiting


async def test_an_error_that_nobody_awaits_is_reported() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    async with RTCPeerConnection() as pc:
        pc.createAnswer()
        await turns()
    assert any("createAnswer" in context["message"] for context in reported)
