"""Tracks, transceivers, senders and receivers of RTCPeerConnection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connections import described, negotiate, turns

from peerline import MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from peerline.errors import (
    InvalidAccessError,
    InvalidModificationError,
    InvalidStateError,
    OperationError,
    RangeError,
)


def track(kind: Any = "audio") -> MediaStreamTrack:
    return MediaStreamTrack(kind)


async def test_a_track_is_seen_by_the_other_side_in_its_streams() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        one, two = MediaStream(), MediaStream()
        caller.addTrack(track("audio"), one, two)
        caller.addTrack(track("video"), one)
        seen: list[Any] = []
        callee.ontrack = seen.append
        await negotiate(caller, callee)
        assert [event.track.kind for event in seen] == ["audio", "video"]
        assert [stream.id for stream in seen[0].streams] == [one.id, two.id]
        assert seen[1].streams[0] is seen[0].streams[0]
        assert seen[0].streams[0].getTracks() == [event.track for event in seen]
        assert seen[0].receiver is callee.getReceivers()[0]
        assert seen[0].transceiver is callee.getTransceivers()[0]
        assert seen[0].track.muted


async def test_the_same_object_stands_for_the_same_thing() -> None:
    async with RTCPeerConnection() as pc:
        sender = pc.addTrack(track())
        assert pc.getSenders() == [sender]
        assert pc.getTransceivers()[0].sender is sender
        assert pc.getTransceivers()[0].receiver is pc.getReceivers()[0]


async def test_a_track_is_sent_once() -> None:
    async with RTCPeerConnection() as pc, RTCPeerConnection() as other:
        mine = track()
        pc.addTrack(mine)
        with pytest.raises(InvalidAccessError):
            pc.addTrack(mine)
        with pytest.raises(InvalidAccessError):
            pc.removeTrack(other.addTrack(track()))
        with pytest.raises(TypeError):
            pc.addTrack("audio")  # type: ignore[arg-type]


async def test_a_sender_that_never_sent_is_used_again() -> None:
    async with RTCPeerConnection() as pc:
        transceiver = pc.addTransceiver("audio", {"direction": "recvonly"})
        assert pc.addTrack(track()) is transceiver.sender
        assert transceiver.direction == "sendrecv"


async def test_a_sender_that_has_sent_is_not() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        sender = caller.addTrack(track())
        callee.addTransceiver("audio")
        await negotiate(caller, callee)
        caller.removeTrack(sender)
        assert sender.track is None
        assert caller.getTransceivers()[0].direction == "recvonly"
        assert caller.addTrack(track()) is not sender


async def test_a_track_that_is_removed_leaves_its_streams_on_the_other_side() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        sender = caller.addTrack(track(), MediaStream())
        seen: list[Any] = []
        callee.ontrack = seen.append
        await negotiate(caller, callee)
        (stream,) = seen[0].streams
        gone: list[Any] = []
        stream.onremovetrack = gone.append
        caller.removeTrack(sender)
        await negotiate(caller, callee)
        assert [event.track for event in gone] == [seen[0].track]
        assert stream.getTracks() == []


async def test_directions_and_what_became_of_them() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        mine = caller.addTransceiver("audio")
        assert (mine.mid, mine.direction, mine.currentDirection) == (None, "sendrecv", None)
        await negotiate(caller, callee)
        assert (mine.mid, mine.direction, mine.currentDirection) == ("0", "sendrecv", "sendonly")
        mine.direction = "nonsense"
        assert mine.direction == "sendrecv"
        with pytest.raises(TypeError):
            mine.direction = "stopped"


async def test_a_transceiver_is_stopped_for_good() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        mine = caller.addTransceiver("audio")
        await negotiate(caller, callee)
        theirs = callee.getTransceivers()[0]
        ended: list[str] = []
        mine.receiver.track.onended = lambda _: ended.append("mine")
        theirs.receiver.track.onended = lambda _: ended.append("theirs")
        mine.stop()
        mine.stop()
        assert (mine.direction, mine.currentDirection) == ("stopped", "sendonly")
        with pytest.raises(InvalidStateError):
            mine.direction = "sendrecv"
        await negotiate(caller, callee)
        await turns()
        assert (mine.currentDirection, theirs.currentDirection) == ("stopped", "stopped")
        assert (mine.mid, caller.getTransceivers(), callee.getTransceivers()) == (None, [], [])
        assert ended == ["mine", "theirs"]


async def test_transceivers_are_of_audio_or_video() -> None:
    async with RTCPeerConnection() as pc:
        for wrong in ("data", "", None, 7):
            with pytest.raises(TypeError):
                pc.addTransceiver(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            pc.addTransceiver("audio", direction="stopped")
        with pytest.raises(TypeError):
            pc.addTransceiver("audio", streams=["s"])


# Encodings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encodings", "error"),
    [
        ([{"rid": "a"}, {}], TypeError),
        ([{"rid": "a"}, {"rid": "a"}], TypeError),
        ([{"rid": "a-b"}], TypeError),
        ([{"rid": "a" * 17}], TypeError),
        ([{"scaleResolutionDownBy": 0.5}], RangeError),
        ([{"maxFramerate": -1}], RangeError),
        ([{"codec": {"mimeType": "video/nothing", "clockRate": 90000}}], OperationError),
    ],
    ids=str,
)
async def test_wrong_encodings_are_refused(encodings: list[Any], error: type[Exception]) -> None:
    async with RTCPeerConnection() as pc:
        with pytest.raises(error):
            pc.addTransceiver("video", sendEncodings=encodings)
        assert pc.getTransceivers() == []


async def test_encodings_are_scaled_by_powers_of_two_unless_somebody_says_otherwise() -> None:
    async with RTCPeerConnection() as pc:
        many = pc.addTransceiver("video", sendEncodings=[{"rid": rid} for rid in "abc"])
        assert [one.scaleResolutionDownBy for one in many.sender.getParameters().encodings] == [4, 2, 1]
        said = pc.addTransceiver("video", sendEncodings=[{"rid": "a", "scaleResolutionDownBy": 3}, {"rid": "b"}])
        assert [one.scaleResolutionDownBy for one in said.sender.getParameters().encodings] == [3, 1]
        sound = pc.addTransceiver("audio", sendEncodings=[{"rid": "a", "maxFramerate": 5}, {"rid": "b"}])
        (only,) = sound.sender.getParameters().encodings
        assert only.rid is None
        assert only.maxFramerate is None


async def test_parameters_are_changed_in_the_task_they_were_read_in() -> None:
    async with RTCPeerConnection() as pc:
        sender = pc.addTransceiver("video").sender
        parameters = sender.getParameters()
        assert parameters == sender.getParameters()
        parameters.encodings[0].maxBitrate = 500_000
        await sender.setParameters(parameters)
        assert sender.getParameters().encodings[0].maxBitrate == 500_000
        with pytest.raises(InvalidStateError):
            await pc.addTransceiver("video").sender.setParameters(parameters)
        old = sender.getParameters()
        await turns()
        with pytest.raises(InvalidStateError):
            await sender.setParameters(old)


async def test_what_negotiation_decided_is_not_a_parameter_to_change() -> None:
    async with RTCPeerConnection() as pc:
        sender = pc.addTransceiver("video", sendEncodings=[{"rid": "a"}, {"rid": "b"}]).sender
        changes: list[Callable[[Any], object]] = [
            lambda p: p.encodings.pop(),
            lambda p: p.encodings.reverse(),
            lambda p: p.encodings[0].update(rid="c"),
            lambda p: p.update(transactionId="x"),
            lambda p: p.rtcp.update(cname="x"),
            lambda p: p.encodings[0].update(codec={"mimeType": "video/none", "clockRate": 90000}),
        ]
        for change in changes:
            parameters = sender.getParameters()
            change(parameters)
            with pytest.raises(InvalidModificationError):
                await sender.setParameters(parameters)
        parameters = sender.getParameters()
        parameters.encodings[0].scaleResolutionDownBy = 0.1
        with pytest.raises(RangeError):
            await sender.setParameters(parameters)


async def test_parameters_say_what_was_negotiated() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        caller.addTransceiver("audio")
        sender, receiver = caller.getSenders()[0], caller.getReceivers()[0]
        assert sender.getParameters().codecs == []
        await negotiate(caller, callee)
        sent = sender.getParameters()
        assert sent.codecs[0].mimeType == "audio/opus"
        assert sent.codecs[0].payloadType == 111
        assert sent.rtcp.reducedSize is True
        assert len(sent.headerExtensions) == 4
        assert receiver.getParameters().codecs == []  # sendonly: nothing comes
        theirs = callee.getReceivers()[0].getParameters()
        assert [codec.mimeType for codec in theirs.codecs] == [codec.mimeType for codec in sent.codecs]


async def test_capabilities_are_those_of_the_offer() -> None:
    async with RTCPeerConnection() as pc:
        for kind in ("audio", "video"):
            found = RTCRtpSender.getCapabilities(kind)
            assert found is not None
            assert found == RTCRtpReceiver.getCapabilities(kind)
            pc.addTransceiver(kind)
            sdp = (await pc.createOffer()).sdp
            for codec in found.codecs:
                assert f" {codec.mimeType.partition('/')[2]}/{codec.clockRate}" in sdp
            for extension in found.headerExtensions:
                assert extension.uri in sdp
    assert RTCRtpSender.getCapabilities("data") is None


async def test_preferred_codecs_are_offered_and_nothing_else() -> None:
    async with RTCPeerConnection() as pc:
        transceiver = pc.addTransceiver("video")
        capabilities = RTCRtpReceiver.getCapabilities("video")
        assert capabilities is not None
        vp9 = [codec for codec in capabilities.codecs if codec.mimeType == "video/VP9"]
        transceiver.setCodecPreferences(vp9)
        assert (await pc.createOffer()).sdp.count("a=rtpmap:") == 1
        transceiver.setCodecPreferences([])
        assert (await pc.createOffer()).sdp.count("a=rtpmap:") > 10
        rtx = [codec for codec in capabilities.codecs if codec.mimeType == "video/rtx"]
        for wrong in (rtx, [{"mimeType": "video/VP7", "clockRate": 90000}], [{**vp9[0], "clockRate": 1}]):
            with pytest.raises(InvalidModificationError):
                transceiver.setCodecPreferences(wrong)


async def test_a_track_is_replaced_without_negotiation() -> None:
    async with RTCPeerConnection() as pc:
        sender = pc.addTrack(track())
        other = track()
        replacing = sender.replaceTrack(other)
        assert sender.track is not other
        await replacing
        assert sender.track is other
        with pytest.raises(TypeError):
            await sender.replaceTrack(track("video"))
        await sender.replaceTrack(None)
        assert sender.track is None


async def test_streams_can_be_changed_and_want_a_negotiation() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        sender = caller.addTrack(track())
        await negotiate(caller, callee)
        await turns()
        wanted: list[Any] = []
        caller.onnegotiationneeded = wanted.append
        stream = MediaStream()
        sender.setStreams(stream)
        await turns()
        assert len(wanted) == 1
        await caller.setLocalDescription()
        assert f"a=msid:{stream.id}" in described(caller).sdp


async def test_header_extensions_can_be_left_out_but_for_the_one_that_bundle_needs() -> None:
    async with RTCPeerConnection() as pc:
        transceiver = pc.addTransceiver("audio")
        wanted = transceiver.getHeaderExtensionsToNegotiate()
        wanted[0].direction = "stopped"
        transceiver.setHeaderExtensionsToNegotiate(wanted)
        assert wanted[0].uri not in (await pc.createOffer()).sdp
        assert {one.direction for one in transceiver.getNegotiatedHeaderExtensions()} == {"stopped"}
        for one in wanted:
            one.direction = "stopped"
        with pytest.raises(InvalidModificationError):
            transceiver.setHeaderExtensionsToNegotiate(wanted)


async def test_a_jitter_buffer_has_a_target_in_its_bounds() -> None:
    async with RTCPeerConnection() as pc:
        receiver = pc.addTransceiver("audio").receiver
        assert receiver.jitterBufferTarget is None
        receiver.jitterBufferTarget = 4000
        for wrong in (-1, 4001):
            with pytest.raises(RangeError):
                receiver.jitterBufferTarget = wrong
        receiver.jitterBufferTarget = None


async def test_older_tutorials_add_streams() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        stream = MediaStream([track("audio"), track("video")])
        caller.addStream(stream)
        caller.addStream(stream)
        assert caller.getLocalStreams() == [stream]
        assert len(caller.getSenders()) == 2
        came: list[Any] = []
        callee.onaddstream = came.append
        callee.onremovestream = came.append
        await negotiate(caller, callee)
        assert [event.stream for event in came] == callee.getRemoteStreams()
        assert callee.getStreamById(stream.id) is came[0].stream
        caller.removeStream(stream)
        await negotiate(caller, callee)
        assert [event.type for event in came] == ["addstream", "removestream"]
        assert callee.getRemoteStreams() == []


async def test_tones_need_somebody_who_listens() -> None:
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        sender = caller.addTrack(track())
        dtmf = sender.dtmf
        assert dtmf is not None
        assert not dtmf.canInsertDTMF
        with pytest.raises(InvalidStateError):
            dtmf.insertDTMF("1")
        await negotiate(caller, callee)
        assert dtmf.canInsertDTMF
        dtmf.insertDTMF("12#", 40, 30)
        assert dtmf.toneBuffer == "12#"
        assert caller.addTransceiver("video").sender.dtmf is None


async def test_offers_to_receive_as_they_were_asked_for_once() -> None:
    async with RTCPeerConnection() as pc:
        offer = await pc.createOffer({"offerToReceiveAudio": True, "offerToReceiveVideo": True})
        assert [one.direction for one in pc.getTransceivers()] == ["recvonly", "recvonly"]
        assert offer.sdp.count("a=recvonly") == 2
        await pc.createOffer({"offerToReceiveAudio": False})
        assert [one.direction for one in pc.getTransceivers()] == ["inactive", "recvonly"]
