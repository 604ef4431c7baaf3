"""SDP: what two peers tell each other before a call (RFC 8866, RFC 9429). `str(parse(text)) == text`, byte for byte."""

from __future__ import annotations

from peerline.sdp.bandwidth import Bandwidth
from peerline.sdp.candidate import Candidate
from peerline.sdp.codec import Codec, Feedback, RtpMap
from peerline.sdp.codec_match import is_same_codec
from peerline.sdp.description import Description, SessionSection
from peerline.sdp.edit import (
    prefer_codecs,
    remove_codec,
    set_bandwidth,
    set_direction,
    set_session_bandwidth,
    strip_candidates,
)
from peerline.sdp.errors import SdpError
from peerline.sdp.fmtp import Fmtp, OpusParameters, vp9_profile
from peerline.sdp.h264 import H264Profile, ProfileLevelId, answered_profile_level_id
from peerline.sdp.line import Line
from peerline.sdp.media import MediaSection
from peerline.sdp.parse import parse
from peerline.sdp.rtp_attributes import HeaderExtension, MediaStreamId, Source, SourceGroup
from peerline.sdp.session_lines import Group, MsidSemantic, Origin
from peerline.sdp.simulcast import Rid, Simulcast, SimulcastStream
from peerline.sdp.transport_attributes import Connection, Fingerprint, Rtcp

__all__ = [
    "Bandwidth", "Candidate", "Codec", "Connection", "Description", "Feedback", "Fingerprint", "Fmtp", "Group",
    "H264Profile", "HeaderExtension", "Line", "MediaSection", "MediaStreamId", "MsidSemantic", "OpusParameters",
    "Origin", "ProfileLevelId", "Rid", "Rtcp", "RtpMap", "SdpError", "SessionSection", "Simulcast", "SimulcastStream",
    "Source", "SourceGroup", "answered_profile_level_id", "is_same_codec", "parse", "prefer_codecs", "remove_codec",
    "serialise", "set_bandwidth", "set_direction", "set_session_bandwidth", "strip_candidates", "vp9_profile",
]  # fmt: skip


def serialise(description: Description) -> str:
    """The text of a description: `str(description)`."""
    return str(description)
