"""Offer/answer as a pure machine (RFC 9429). docs/flows/offer-answer.md names the files in call order."""

from peerline.jsep.applied import Applied
from peerline.jsep.codecs import CODECS, RTX, is_media
from peerline.jsep.header_extensions import EXTENSIONS
from peerline.jsep.outcome import DataPlan, Outcome, TrackChange
from peerline.jsep.session import Session
from peerline.jsep.settings import BundlePolicy, RtcpMuxPolicy, Settings
from peerline.jsep.state import STATES, TRANSITIONS, SdpType, SignalingState, can_roll_back_implicitly, next_state
from peerline.jsep.transceiver import Transceiver
from peerline.jsep.transport import Credentials, Layout, TransportPlan

__all__ = [
    "CODECS", "EXTENSIONS", "RTX", "STATES", "TRANSITIONS", "Applied", "BundlePolicy", "Credentials", "DataPlan",
    "Layout", "Outcome", "RtcpMuxPolicy", "SdpType", "Session", "Settings", "SignalingState", "TrackChange",
    "Transceiver", "TransportPlan", "can_roll_back_implicitly", "is_media", "next_state",
]  # fmt: skip
