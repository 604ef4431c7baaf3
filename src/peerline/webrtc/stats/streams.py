"""Records of what senders have and may send (Statistics API, sections 7.2, 7.6 and 7.11).

No packet of media leaves yet: an outbound stream that is negotiated says so, with 0 packets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from peerline.jsep.direction import sends
from peerline.webrtc.rtp_parameters import codec_dictionary
from peerline.webrtc.stats.ids import Ids
from peerline.webrtc.stats.records import RTCCodecStats, RTCMediaSourceStats, RTCOutboundRtpStreamStats, RTCStats

if TYPE_CHECKING:
    from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver


def stream_records(transceiver: RTCRtpTransceiver, ids: Ids, now: float) -> Iterator[RTCStats]:
    """Of one transceiver: its source, then its stream with the codec."""
    state, track = transceiver._negotiated, transceiver.sender.track
    if state.is_stopped:
        return
    source_id = None
    if track is not None:
        source_id = ids.of("S", track)
        yield RTCMediaSourceStats(
            timestamp=now, type="media-source", id=source_id, trackIdentifier=track.id, kind=track.kind
        )
    transport = transceiver.sender.transport
    is_negotiated = state.current_direction is not None and sends(state.current_direction)
    # Streams of a simulcast have no numbers before they are sent: their names (rid) stand for them.
    if not is_negotiated or state.ssrcs is None or transport is None or len(state.encodings) != 1:
        return
    transport_id = ids.of("T", transport)
    codec_id = None
    if state.send_codecs:
        parameters = codec_dictionary(state.kind, state.send_codecs[0], has_payload_type=True)
        codec_id = ids.of_key("CO", transport_id, *sorted(parameters.items()))
        yield RTCCodecStats(dict(parameters), timestamp=now, type="codec", id=codec_id, transportId=transport_id)
    ssrc = state.ssrcs[0]
    yield RTCOutboundRtpStreamStats(
        timestamp=now,
        type="outbound-rtp",
        id=ids.of_key("O", ssrc),
        ssrc=ssrc,
        kind=state.kind,
        transportId=transport_id,
        codecId=codec_id,
        mid=state.mid,
        mediaSourceId=source_id,
        encodingIndex=0 if state.kind == "video" else None,
        packetsSent=0,
        bytesSent=0,
        active=bool(state.encodings[0].get("active", True)),
    )
