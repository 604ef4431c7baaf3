"""Figures of a connection: getStats (W3C WebRTC, section 8; Identifiers for WebRTC's Statistics API)."""

from peerline.webrtc.stats.collecting import collect
from peerline.webrtc.stats.media_records import (
    RTCAudioSourceStats,
    RTCInboundRtpStreamStats,
    RTCMediaSourceStats,
    RTCOutboundRtpStreamStats,
    RTCRemoteInboundRtpStreamStats,
    RTCRemoteOutboundRtpStreamStats,
    RTCVideoSourceStats,
)
from peerline.webrtc.stats.records import (
    RTCCertificateStats,
    RTCCodecStats,
    RTCDataChannelStats,
    RTCIceCandidatePairStats,
    RTCIceCandidateStats,
    RTCPeerConnectionStats,
    RTCStats,
    RTCTransportStats,
)
from peerline.webrtc.stats.report import RTCStatsReport

__all__ = [
    "RTCAudioSourceStats",
    "RTCCertificateStats",
    "RTCCodecStats",
    "RTCDataChannelStats",
    "RTCIceCandidatePairStats",
    "RTCIceCandidateStats",
    "RTCInboundRtpStreamStats",
    "RTCMediaSourceStats",
    "RTCOutboundRtpStreamStats",
    "RTCPeerConnectionStats",
    "RTCRemoteInboundRtpStreamStats",
    "RTCRemoteOutboundRtpStreamStats",
    "RTCStats",
    "RTCStatsReport",
    "RTCTransportStats",
    "RTCVideoSourceStats",
    "collect",
]
