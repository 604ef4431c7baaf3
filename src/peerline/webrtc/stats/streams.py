"""Records of what senders have and send, and what receivers get (Statistics API, sections 7.2 to 7.11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from peerline.jsep.direction import sends
from peerline.media.picture_encoding import PictureEncoding
from peerline.webrtc.rtp_parameters import codec_dictionary
from peerline.webrtc.stats.ids import Ids
from peerline.webrtc.stats.inbound import inbound_records
from peerline.webrtc.stats.media_records import (
    RTCAudioSourceStats,
    RTCMediaSourceStats,
    RTCOutboundRtpStreamStats,
    RTCRemoteInboundRtpStreamStats,
    RTCVideoSourceStats,
)
from peerline.webrtc.stats.records import RTCCodecStats, RTCStats

if TYPE_CHECKING:
    from peerline.sdp import Codec
    from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver
    from peerline.webrtc.sending import Sending

Figures = Mapping[str, Any]

# What they are called in figures.
_ENCODERS = {"vp8": "libvpx", "vp9": "libvpx", "h264": "x264", "av1": "SVT-AV1"}


def stream_records(transceiver: RTCRtpTransceiver, figures: Figures | None, ids: Ids, now: float) -> Iterator[RTCStats]:
    """Of one transceiver: its source, the stream that it sends, those that it gets. `figures`: of its transport."""
    state = transceiver._negotiated
    if state.is_stopped:
        return
    media: Figures = (figures or {}).get("media") or {}
    source_id = None
    for source in _source(transceiver, ids, now):
        source_id = source.id
        yield source
    yield from _outbound(transceiver, media, source_id, ids, now)
    for received in media.get("received", ()):
        if received["section"] == transceiver._number and received["packets"] > 0:
            codec = _codec(state.receive_codecs, received["payload_type"])
            codec_id = None
            if codec is not None and transceiver.receiver.transport is not None:
                transport_id = ids.of("T", transceiver.receiver.transport)
                record = _codec_record(state.kind, codec, transport_id, ids, now)
                codec_id = record.id
                yield record
            yield from inbound_records(transceiver, received, codec, codec_id, ids, now)


def _source(transceiver: RTCRtpTransceiver, ids: Ids, now: float) -> Iterator[RTCMediaSourceStats]:
    track = transceiver.sender.track
    if track is None:
        return
    base: dict[str, Any] = {
        "timestamp": now,
        "type": "media-source",
        "id": ids.of("S", track),
        "trackIdentifier": track.id,
        "kind": track.kind,
    }
    sending = transceiver.sender._sending
    if track.kind == "audio":
        sound = sending.sound if sending is not None else None
        members = {"audioLevel": 0.0, "totalAudioEnergy": 0.0, "totalSamplesDuration": 0.0}
        if sound is not None:
            members = {
                "audioLevel": sound.level,
                "totalAudioEnergy": sound.energy,
                "totalSamplesDuration": sound.duration_s,
            }
        yield RTCAudioSourceStats(base | members)
        return
    pictures = sending.pictures if sending is not None else None
    if pictures is not None and pictures.frames:
        base |= {
            "width": pictures.width,
            "height": pictures.height,
            "frames": pictures.frames,
            "framesPerSecond": pictures.frames_per_second,
        }
    yield RTCVideoSourceStats(base)


def _outbound(
    transceiver: RTCRtpTransceiver, media: Figures, source_id: str | None, ids: Ids, now: float
) -> Iterator[RTCStats]:
    """Its codec, the stream, and what the other side says of it. Simulcast has one stream for now: none of its own."""
    state, sender = transceiver._negotiated, transceiver.sender
    transport = sender.transport
    is_negotiated = state.current_direction is not None and sends(state.current_direction)
    # Streams of a simulcast have no numbers before they are sent: their names (rid) stand for them.
    if state.is_stopping or not is_negotiated or state.ssrcs is None or transport is None or len(state.encodings) != 1:
        return
    transport_id, ssrc = ids.of("T", transport), state.ssrcs[0]
    sent: Figures = next((one for one in media.get("sent", ()) if one["ssrc"] == ssrc), {})
    codec_id = None
    codec = _codec(state.send_codecs, sent.get("payload_type")) or next(iter(state.send_codecs), None)
    if codec is not None:
        record = _codec_record(state.kind, codec, transport_id, ids, now)
        codec_id = record.id
        yield record
    remote: Figures | None = sent.get("remote")
    outbound_id, remote_id = ids.of_key("O", ssrc), ids.of_key("RI", ssrc)
    members: dict[str, Any] = {
        "timestamp": now,
        "type": "outbound-rtp",
        "id": outbound_id,
        "ssrc": ssrc,
        "kind": state.kind,
        "transportId": transport_id,
        "codecId": codec_id,
        "mid": state.mid,
        "mediaSourceId": source_id,
        "remoteId": remote_id if remote is not None else None,
        "encodingIndex": 0 if state.kind == "video" else None,
        "active": bool(state.encodings[0].get("active", True)),
        "packetsSent": sent.get("packets", 0) + sent.get("repeated_packets", 0),
        "bytesSent": sent.get("bytes", 0) + sent.get("repeated_bytes", 0),
        "headerBytesSent": sent.get("header_bytes", 0),
        "retransmittedPacketsSent": sent.get("repeated_packets", 0),
        "retransmittedBytesSent": sent.get("repeated_bytes", 0),
        "totalPacketSendDelay": sent.get("total_waiting_s", 0.0),
        "nackCount": sent.get("nacks", 0),
    }
    encoding = sender._sending.encoding if sender._sending is not None else None
    if encoding is not None:
        members["targetBitrate"] = encoding.bitrate_bps
    if state.kind == "video":
        members |= {
            "rtxSsrc": sent.get("rtx_ssrc"),
            "framesSent": sent.get("frames", 0),
            "firCount": sent.get("full_intras", 0),
            "pliCount": sent.get("picture_losses", 0),
        }
        if sender._sending is not None and isinstance(encoding, PictureEncoding):
            members |= _encoder(encoding, sender._sending)
    yield RTCOutboundRtpStreamStats(_known(members))
    if remote is not None:
        yield RTCRemoteInboundRtpStreamStats(
            _known(
                {
                    "timestamp": now,
                    "type": "remote-inbound-rtp",
                    "id": remote_id,
                    "ssrc": ssrc,
                    "kind": state.kind,
                    "transportId": transport_id,
                    "codecId": codec_id,
                    "localId": outbound_id,
                    "packetsReceived": max(sent["packets"] - max(remote["lost"], 0), 0),
                    "packetsLost": remote["lost"],
                    "jitter": remote["jitter_s"],
                    "fractionLost": remote["fraction_lost"],
                    "roundTripTime": remote["round_trip_s"],
                    "totalRoundTripTime": remote["total_round_trip_s"],
                    "roundTripTimeMeasurements": remote["round_trips"],
                }
            )
        )


def _encoder(encoding: PictureEncoding, sending: Sending) -> dict[str, Any]:
    pictures, limitation = encoding.meter, sending.limitation
    members: dict[str, Any] = {
        "framesEncoded": pictures.frames,
        "keyFramesEncoded": pictures.key_frames,
        "totalEncodeTime": pictures.time_s,
        "totalEncodedBytesTarget": int(encoding.target_bytes),
        "framesPerSecond": pictures.frames_per_second,
        "qualityLimitationReason": limitation.reason,
        "qualityLimitationDurations": limitation.durations(),
        "qualityLimitationResolutionChanges": encoding.size_changes,
    }
    if pictures.frames:
        members |= {
            "frameWidth": pictures.width,
            "frameHeight": pictures.height,
            "encoderImplementation": _ENCODERS.get(encoding.codec, encoding.codec),
            "powerEfficientEncoder": False,
            "scalabilityMode": sending.scalability_mode,
        }
    return members


def _codec(codecs: tuple[Codec, ...], payload_type: int | None) -> Codec | None:
    return next((codec for codec in codecs if codec.payload_type == payload_type), None)


def _codec_record(kind: str, codec: Codec, transport_id: str, ids: Ids, now: float) -> RTCCodecStats:
    parameters = codec_dictionary(kind, codec, has_payload_type=True)
    codec_id = ids.of_key("CO", transport_id, *sorted(parameters.items()))
    return RTCCodecStats(dict(parameters), timestamp=now, type="codec", id=codec_id, transportId=transport_id)


def _known(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
