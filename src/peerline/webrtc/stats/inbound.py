"""Records of one stream that comes in, and of what its sender reports (Statistics API, sections 7.3 to 7.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from peerline.media.decoding import PictureDecoding, SoundDecoding
from peerline.webrtc.stats.ids import Ids
from peerline.webrtc.stats.media_records import RTCInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats
from peerline.webrtc.stats.records import RTCStats

if TYPE_CHECKING:
    from peerline.media.decoding import Decoding
    from peerline.sdp import Codec
    from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver


def inbound_records(
    transceiver: RTCRtpTransceiver,
    received: Mapping[str, Any],
    codec: Codec | None,
    codec_id: str | None,
    ids: Ids,
    now: float,
) -> Iterator[RTCStats]:
    """The stream, and what the other side has said of it."""
    state, receiver, ssrc = transceiver._negotiated, transceiver.receiver, received["ssrc"]
    if receiver.transport is None:
        return
    transport_id = ids.of("T", receiver.transport)
    inbound_id, remote_id = ids.of_key("IR", ssrc), ids.of_key("RO", ssrc)
    report: Mapping[str, Any] | None = received.get("sender_report")
    base: dict[str, Any] = {"ssrc": ssrc, "kind": state.kind, "transportId": transport_id}
    if codec_id is not None:
        base["codecId"] = codec_id
    members = base | {
        "timestamp": now,
        "type": "inbound-rtp",
        "id": inbound_id,
        "trackIdentifier": receiver.track.id,
        "mid": state.mid,
        "packetsReceived": received["packets"] + received["packets_repaired"],
        "packetsLost": received["lost"],
        "jitter": received["jitter_s"],
        "bytesReceived": received["bytes"] + received["bytes_repaired"],
        "headerBytesReceived": received["header_bytes"],
        "packetsDiscarded": received["packets_discarded"],
        "nackCount": received["nacks"],
        "retransmittedPacketsReceived": received["packets_repaired"],
        "retransmittedBytesReceived": received["bytes_repaired"],
        "jitterBufferEmittedCount": received["frames_given"],
        "jitterBufferDelay": received["total_waiting_s"],
        "jitterBufferTargetDelay": received["total_target_s"],
        "jitterBufferMinimumDelay": received["total_target_s"],
    }
    if received["silent_for_s"] is not None:
        members["lastPacketReceivedTimestamp"] = now - received["silent_for_s"] * 1000
    if report is not None:
        members["remoteId"] = remote_id
    decoding = receiver._track.decoding
    members |= _pictures(received, decoding) if state.kind == "video" else _sound(received, codec, decoding, receiver)
    yield RTCInboundRtpStreamStats(members)
    if report is not None:
        yield RTCRemoteOutboundRtpStreamStats(
            base
            | {
                "timestamp": now - report["age_s"] * 1000,
                "type": "remote-outbound-rtp",
                "id": remote_id,
                "localId": inbound_id,
                "packetsSent": report["packets"],
                "bytesSent": report["bytes"],
                "remoteTimestamp": report["at_s"] * 1000,
                "reportsSent": report["count"],
                # Measured by extended reports (RFC 3611), which we do not ask for.
                "totalRoundTripTime": 0.0,
                "roundTripTimeMeasurements": 0,
            }
        )


def _pictures(received: Mapping[str, Any], decoding: Decoding | None) -> dict[str, Any]:
    members: dict[str, Any] = {
        "framesReceived": received["frames"] + received["frames_dropped"],
        "framesDropped": received["frames_dropped"] + (decoding.dropped if decoding is not None else 0),
        "framesAssembledFromMultiplePackets": received["frames_joined"],
        "totalAssemblyTime": received["total_joining_s"],
        "firCount": received["full_intras"],
        "pliCount": received["picture_losses"],
        "framesDecoded": 0,
        "keyFramesDecoded": 0,
        "totalDecodeTime": 0.0,
        "totalInterFrameDelay": 0.0,
        "totalSquaredInterFrameDelay": 0.0,
        "totalProcessingDelay": received["total_waiting_s"],
        "framesPerSecond": 0,
    }
    if isinstance(decoding, PictureDecoding):
        pictures = decoding.meter
        members |= {
            "framesDecoded": pictures.frames,
            "keyFramesDecoded": pictures.key_frames,
            "totalDecodeTime": pictures.time_s,
            "totalInterFrameDelay": pictures.total_gap_s,
            "totalSquaredInterFrameDelay": pictures.total_squared_gap,
            "totalProcessingDelay": received["total_waiting_s"] + pictures.time_s,
            "framesPerSecond": pictures.frames_per_second,
        }
        if pictures.frames:
            members |= {
                "frameWidth": pictures.width,
                "frameHeight": pictures.height,
                "decoderImplementation": "FFmpeg",
                "powerEfficientDecoder": False,
            }
    return members


def _sound(
    received: Mapping[str, Any], codec: Codec | None, decoding: Decoding | None, receiver: Any
) -> dict[str, Any]:
    members: dict[str, Any] = {
        "totalSamplesReceived": 0,
        "concealedSamples": 0,
        "concealmentEvents": 0,
        "totalAudioEnergy": 0.0,
        "totalSamplesDuration": 0.0,
        "totalProcessingDelay": received["total_waiting_s"],
    }
    if isinstance(decoding, SoundDecoding):
        sound = decoding.meter
        members |= {
            "totalSamplesReceived": sound.samples,
            "concealedSamples": sound.concealed,
            "concealmentEvents": sound.concealments,
            "totalAudioEnergy": sound.energy,
            "totalSamplesDuration": sound.duration_s,
            "audioLevel": sound.level,
        }
    else:
        latest = receiver._sources.level()
        if latest is not None:
            members["audioLevel"] = latest
    if codec is not None:
        # Its clock counts them, and not the frames.
        ticks = codec.clock_rate_hz * 0.02
        members["jitterBufferEmittedCount"] = int(received["frames_given"] * ticks)
        members["jitterBufferDelay"] = received["total_waiting_s"] * ticks
        members["jitterBufferTargetDelay"] = members["jitterBufferMinimumDelay"] = received["total_target_s"] * ticks
    return members
