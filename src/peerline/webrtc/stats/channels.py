"""Records of the connection and its data channels (Statistics API, sections 7.12 and 7.13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from peerline.webrtc.stats.ids import Ids
from peerline.webrtc.stats.records import RTCDataChannelStats, RTCPeerConnectionStats, RTCStats

if TYPE_CHECKING:
    from peerline.webrtc.data_channels import DataChannels

COUNTERS = {
    "messagesSent": "messages_sent",
    "bytesSent": "bytes_sent",
    "messagesReceived": "messages_received",
    "bytesReceived": "bytes_received",
}


def channel_records(
    channels: DataChannels, figures: Mapping[int, Mapping[str, int]], ids: Ids, now: float
) -> Iterator[RTCStats]:
    """The connection itself, then its channels. `figures`: what the engine counted, by its number of the channel."""
    yield RTCPeerConnectionStats(
        timestamp=now,
        type="peer-connection",
        id="P",
        dataChannelsOpened=channels.opened_count,
        dataChannelsClosed=channels.closed_count,
    )
    for channel in channels.channels:
        counted = figures.get(channel._token, {}) if channel._token is not None else {}
        yield RTCDataChannelStats(
            timestamp=now,
            type="data-channel",
            id=ids.of("D", channel),
            label=channel.label,
            protocol=channel.protocol,
            dataChannelIdentifier=channel.id,
            state=channel.readyState,
            **{member: counted.get(name, 0) for member, name in COUNTERS.items()},
        )
