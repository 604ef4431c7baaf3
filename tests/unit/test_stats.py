"""getStats: the report, its records, and who belongs to whom (W3C WebRTC, section 8)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import pytest
from connections import negotiate, trickle

from peerline import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RTCStatsReport
from peerline.errors import InvalidAccessError
from peerline.webrtc.stats import RTCPeerConnectionStats
from peerline.webrtc.stats.selection import reachable


def only(report: RTCStatsReport, type: str) -> Any:
    (record,) = report.of_type(type)
    return record


class Pair(NamedTuple):
    caller: RTCPeerConnection
    callee: RTCPeerConnection
    channel: RTCDataChannel


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Two connected ends with a channel and a negotiated audio track."""
    async with RTCPeerConnection() as caller, RTCPeerConnection() as callee:
        channel = caller.createDataChannel("figures", protocol="p")
        caller.addTrack(MediaStreamTrack("audio"))
        trickle(caller, callee)
        await negotiate(caller, callee)
        await asyncio.wait_for(asyncio.gather(caller.connected(), callee.connected(), channel.opened()), 10)
        yield Pair(caller, callee, channel)


async def test_a_new_connection_has_one_record() -> None:
    async with RTCPeerConnection() as pc:
        report = await pc.getStats()
        record = only(report, "peer-connection")
        assert list(report) == [record.id]
        assert (record.dataChannelsOpened, record.dataChannelsClosed) == (0, 0)


async def test_a_closed_connection_still_gives_a_report() -> None:
    pc = RTCPeerConnection()
    pc.close()
    assert [record.type for record in (await pc.getStats()).values()] == ["peer-connection"]


async def test_timestamps_are_milliseconds_of_now_and_go_forward() -> None:
    async with RTCPeerConnection() as pc:
        before = time.time() * 1000
        first = only(await pc.getStats(), "peer-connection")
        second = only(await pc.getStats(), "peer-connection")
        assert abs(first.timestamp - before) < 60_000
        assert second.timestamp > first.timestamp


async def test_a_report_is_a_mapping_and_a_map_of_javascript() -> None:
    record = RTCPeerConnectionStats(timestamp=1, type="peer-connection", id="P", dataChannelsOpened=3)
    report = RTCStatsReport([record])
    seen: list[object] = []
    report.forEach(lambda *details: seen.extend(details))
    assert isinstance(report, Mapping)
    assert (report["P"], report.get("Q"), len(report), report.size, report.has("P")) == (record, None, 1, 1, True)
    assert (list(report.entries()), seen) == ([("P", record)], [record, "P", report])


def test_a_record_is_a_dictionary_with_attributes() -> None:
    record = RTCPeerConnectionStats(timestamp=1, type="peer-connection", id="P", dataChannelsOpened=3)
    assert record["dataChannelsOpened"] == record.dataChannelsOpened == 3
    assert "dataChannelsClosed" not in record
    assert record.dataChannelsClosed is None
    assert json.loads(json.dumps(record))["id"] == "P"


async def test_a_path_that_is_only_offered_is_new() -> None:
    async with RTCPeerConnection() as pc:
        pc.createDataChannel("x")
        await pc.setLocalDescription()
        transport = only(await pc.getStats(), "transport")
        assert (transport.dtlsState, transport.dtlsRole, transport.iceState) == ("new", "unknown", "new")
        assert (transport.iceRole, transport.selectedCandidatePairChanges) == ("controlling", 0)
        assert pc.localDescription is not None
        assert f"a=ice-ufrag:{transport.iceLocalUsernameFragment}\r\n" in pc.localDescription.sdp


async def test_a_connected_path_names_its_pair_candidates_and_certificates(pair: Pair) -> None:
    report = await pair.caller.getStats()
    transport = only(report, "transport")
    assert (transport.dtlsState, transport.iceRole) == ("connected", "controlling")
    assert transport.iceState in ("connected", "completed")
    assert transport.bytesSent > 0
    assert transport.packetsReceived > 0
    assert transport.tlsVersion in ("FEFC", "FEFD")
    selected = report[transport.selectedCandidatePairId]
    assert (selected.type, selected["state"], selected["nominated"]) == ("candidate-pair", "succeeded", True)
    assert 0 <= selected["currentRoundTripTime"] <= selected["totalRoundTripTime"]
    assert selected["requestsSent"] + selected["consentRequestsSent"] >= selected["responsesReceived"] > 0
    assert selected["responsesSent"] <= selected["requestsReceived"]
    ours, theirs = report[selected["localCandidateId"]], report[selected["remoteCandidateId"]]
    assert (ours.type, theirs.type) == ("local-candidate", "remote-candidate")
    assert 0 < ours["port"] < 65536
    assert ours["protocol"] == "udp"
    own, other = report[transport.localCertificateId], report[transport.remoteCertificateId]
    assert own["fingerprint"] != other["fingerprint"]
    assert pair.caller.localDescription is not None
    assert own["fingerprint"] in pair.caller.localDescription.sdp.upper()


async def test_both_ends_tell_the_same_story(pair: Pair) -> None:
    caller, callee = await pair.caller.getStats(), await pair.callee.getStats()
    one, other = only(caller, "transport"), only(callee, "transport")
    assert {one.dtlsRole, other.dtlsRole} == {"client", "server"}
    assert (one.iceRole, other.iceRole) == ("controlling", "controlled")
    assert caller[one.localCertificateId]["fingerprint"] == callee[other.remoteCertificateId]["fingerprint"]


async def test_every_id_that_a_record_names_is_in_the_report(pair: Pair) -> None:
    for report in (await pair.caller.getStats(), await pair.callee.getStats()):
        for record in report.values():
            for member, value in record.items():
                assert not member.endswith("Id") or value in report, f"{record.type}.{member}"


async def test_ids_stay_the_same_from_report_to_report(pair: Pair) -> None:
    first, second = await pair.caller.getStats(), await pair.caller.getStats()
    assert list(first) == list(second)
    assert {id: record.type for id, record in first.items()} == {id: record.type for id, record in second.items()}


async def test_a_channel_tells_its_name_and_what_went_through_it(pair: Pair) -> None:
    arrived = asyncio.Event()
    echo = pair.callee.createDataChannel("back", negotiated=True, id=1000)
    forth = pair.caller.createDataChannel("back", negotiated=True, id=1000)
    await asyncio.wait_for(asyncio.gather(echo.opened(), forth.opened()), 10)
    forth.onmessage = lambda event: arrived.set()
    echo.onmessage = lambda event: echo.send(b"123")
    forth.send("grüße")
    await asyncio.wait_for(arrived.wait(), 10)
    report = await pair.caller.getStats()
    channel = next(record for record in report.of_type("data-channel") if record["label"] == "back")
    assert (channel["state"], channel["dataChannelIdentifier"]) == ("open", 1000)
    assert (channel["messagesSent"], channel["bytesSent"]) == (1, 7)
    assert (channel["messagesReceived"], channel["bytesReceived"]) == (1, 3)
    assert only(report, "peer-connection").dataChannelsOpened == 2


async def test_a_sender_s_report_holds_its_stream_and_what_that_names(pair: Pair) -> None:
    (sender,) = pair.caller.getSenders()
    assert sender.track is not None
    report = await sender.getStats()
    stream = only(report, "outbound-rtp")
    assert report[stream.mediaSourceId]["trackIdentifier"] == sender.track.id
    assert report[stream.codecId]["mimeType"] == "audio/opus"
    assert pair.caller.localDescription is not None
    assert f"a=ssrc:{stream.ssrc} " in pair.caller.localDescription.sdp
    assert (stream.packetsSent, stream.bytesSent, stream.active) == (0, 0, True)
    assert {record.type for record in report.values()} == {
        "outbound-rtp", "media-source", "codec", "transport", "certificate", "candidate-pair", "local-candidate",
        "remote-candidate",
    }  # fmt: skip
    assert list(await pair.caller.getStats(sender.track)) == list(report)


async def test_a_receiver_that_got_nothing_has_an_empty_report(pair: Pair) -> None:
    (receiver,) = pair.callee.getReceivers()
    assert len(await receiver.getStats()) == 0


async def test_a_stopped_transceiver_has_no_stream(pair: Pair) -> None:
    (transceiver,) = pair.caller.getTransceivers()
    transceiver.stop()
    await negotiate(pair.caller, pair.callee)
    assert (await pair.caller.getStats()).of_type("outbound-rtp") == []


async def test_a_track_that_is_in_no_connection_or_twice_is_refused() -> None:
    async with RTCPeerConnection() as pc:
        track = MediaStreamTrack("video")
        with pytest.raises(InvalidAccessError):
            await pc.getStats(track)
        pc.addTransceiver(track)
        pc.addTransceiver(track)
        with pytest.raises(InvalidAccessError):
            await pc.getStats(track)
        with pytest.raises(TypeError):
            await pc.getStats("track")


def test_what_is_reachable_ends_where_ids_lead_in_circles() -> None:
    def record(id: str, **names: str) -> Any:
        return {"id": id, **names}

    class Record(dict[str, Any]):
        @property
        def id(self) -> str:
            return str(self["id"])

    records = {id: Record(record(id, **names)) for id, names in {
        "a": {"nextId": "b"}, "b": {"nextId": "a", "goneId": "x"}, "c": {"nextId": "a"},
    }.items()}  # fmt: skip
    found = reachable(records, [records["a"]])  # type: ignore[arg-type, list-item]
    assert [one["id"] for one in found] == ["a", "b"]
