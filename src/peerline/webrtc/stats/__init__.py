"""Figures of a connection: getStats (W3C WebRTC, section 8; Identifiers for WebRTC's Statistics API)."""

from peerline.webrtc.stats.collecting import collect
from peerline.webrtc.stats.records import (
    RTCCertificateStats,
    RTCCodecStats,
    RTCDataChannelStats,
    RTCIceCandidatePairStats,
    RTCIceCandidateStats,
    RTCMediaSourceStats,
    RTCOutboundRtpStreamStats,
    RTCPeerConnectionStats,
    RTCStats,
    RTCTransportStats,
)
from peerline.webrtc.stats.report import RTCStatsReport

__all__ = [
    "RTCCertificateStats",
    "RTCCodecStats",
    "RTCDataChannelStats",
    "RTCIceCandidatePairStats",
    "RTCIceCandidateStats",
    "RTCMediaSourceStats",
    "RTCOutboundRtpStreamStats",
    "RTCPeerConnectionStats",
    "RTCStats",
    "RTCStatsReport",
    "RTCTransportStats",
    "collect",
]
