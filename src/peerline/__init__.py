"""Peerline: WebRTC for people who use Python."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peerline.client import connect
    from peerline.media import (
        AudioFrame,
        DeviceChangeEvent,
        EncodedFrame,
        EncodedTrack,
        InputDeviceInfo,
        MediaDeviceInfo,
        MediaDevices,
        MediaStream,
        MediaStreamTrack,
        MediaStreamTrackEvent,
        OverconstrainedError,
        VideoFrame,
        mediaDevices,
    )
    from peerline.peer import Peer
    from peerline.webrtc.blob import Blob
    from peerline.webrtc.certificate import RTCCertificate
    from peerline.webrtc.configuration import RTCConfiguration, RTCIceServer
    from peerline.webrtc.data_channel import RTCDataChannel
    from peerline.webrtc.dtls_transport import RTCDtlsTransport
    from peerline.webrtc.dtmf import RTCDTMFSender, RTCDTMFToneChangeEvent
    from peerline.webrtc.events import (
        MessageEvent,
        RTCDataChannelEvent,
        RTCPeerConnectionIceErrorEvent,
        RTCPeerConnectionIceEvent,
    )
    from peerline.webrtc.ice_candidate import RTCIceCandidate, RTCIceCandidatePair
    from peerline.webrtc.ice_transport import RTCIceTransport
    from peerline.webrtc.peer_connection import RTCPeerConnection
    from peerline.webrtc.rtc_error import RTCError, RTCErrorEvent
    from peerline.webrtc.rtp_receiver import RTCRtpReceiver
    from peerline.webrtc.rtp_sender import RTCRtpSender
    from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver
    from peerline.webrtc.sctp_transport import RTCSctpTransport
    from peerline.webrtc.session_description import RTCSessionDescription
    from peerline.webrtc.stats import RTCStatsReport
    from peerline.webrtc.stream_event import MediaStreamEvent
    from peerline.webrtc.track_event import RTCTrackEvent
    from peerline.webrtc.tuning import Tuning

try:
    __version__ = version("peerline")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = [
    "AudioFrame",
    "Blob",
    "DeviceChangeEvent",
    "EncodedFrame",
    "EncodedTrack",
    "InputDeviceInfo",
    "MediaDeviceInfo",
    "MediaDevices",
    "MediaStream",
    "MediaStreamEvent",
    "MediaStreamTrack",
    "MediaStreamTrackEvent",
    "MessageEvent",
    "OverconstrainedError",
    "Peer",
    "RTCCertificate",
    "RTCConfiguration",
    "RTCDTMFSender",
    "RTCDTMFToneChangeEvent",
    "RTCDataChannel",
    "RTCDataChannelEvent",
    "RTCDtlsTransport",
    "RTCError",
    "RTCErrorEvent",
    "RTCIceCandidate",
    "RTCIceCandidatePair",
    "RTCIceServer",
    "RTCIceTransport",
    "RTCPeerConnection",
    "RTCPeerConnectionIceErrorEvent",
    "RTCPeerConnectionIceEvent",
    "RTCRtpReceiver",
    "RTCRtpSender",
    "RTCRtpTransceiver",
    "RTCSctpTransport",
    "RTCSessionDescription",
    "RTCStatsReport",
    "RTCTrackEvent",
    "Tuning",
    "VideoFrame",
    "__version__",
    "connect",
    "mediaDevices",
]

# Where each name lives. They are imported when they are first asked for: a server needs no peer connections.
_HOMES = {
    "peerline.client": ("connect",),
    "peerline.media": (
        "AudioFrame",
        "DeviceChangeEvent",
        "EncodedFrame",
        "EncodedTrack",
        "InputDeviceInfo",
        "MediaDeviceInfo",
        "MediaDevices",
        "MediaStream",
        "MediaStreamTrack",
        "MediaStreamTrackEvent",
        "OverconstrainedError",
        "VideoFrame",
        "mediaDevices",
    ),
    "peerline.peer": ("Peer",),
    "peerline.webrtc.blob": ("Blob",),
    "peerline.webrtc.certificate": ("RTCCertificate",),
    "peerline.webrtc.configuration": ("RTCConfiguration", "RTCIceServer"),
    "peerline.webrtc.data_channel": ("RTCDataChannel",),
    "peerline.webrtc.dtls_transport": ("RTCDtlsTransport",),
    "peerline.webrtc.dtmf": ("RTCDTMFSender", "RTCDTMFToneChangeEvent"),
    "peerline.webrtc.events": (
        "MessageEvent",
        "RTCDataChannelEvent",
        "RTCPeerConnectionIceErrorEvent",
        "RTCPeerConnectionIceEvent",
    ),
    "peerline.webrtc.ice_candidate": ("RTCIceCandidate", "RTCIceCandidatePair"),
    "peerline.webrtc.ice_transport": ("RTCIceTransport",),
    "peerline.webrtc.peer_connection": ("RTCPeerConnection",),
    "peerline.webrtc.rtc_error": ("RTCError", "RTCErrorEvent"),
    "peerline.webrtc.rtp_receiver": ("RTCRtpReceiver",),
    "peerline.webrtc.rtp_sender": ("RTCRtpSender",),
    "peerline.webrtc.rtp_transceiver": ("RTCRtpTransceiver",),
    "peerline.webrtc.sctp_transport": ("RTCSctpTransport",),
    "peerline.webrtc.session_description": ("RTCSessionDescription",),
    "peerline.webrtc.stats": ("RTCStatsReport",),
    "peerline.webrtc.stream_event": ("MediaStreamEvent",),
    "peerline.webrtc.track_event": ("RTCTrackEvent",),
    "peerline.webrtc.tuning": ("Tuning",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'peerline' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
