"""Which lines and attributes are understood, and by what they are read. All others are kept as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peerline.sdp import rtp_attributes as rtp
from peerline.sdp import transport_attributes as transport
from peerline.sdp.bandwidth import Bandwidth
from peerline.sdp.candidate import Candidate
from peerline.sdp.codec import Feedback, RtpMap, parse_format_parameters
from peerline.sdp.session_lines import Group, MsidSemantic, Origin, parse_times
from peerline.sdp.simulcast import Rid, Simulcast, parse_mid

__all__ = ["ATTRIBUTES", "TYPES"]

Reader = Callable[[str], Any]


# By the letter of the line; `m=` and `v=` have no value object.
TYPES: dict[str, Reader] = {
    "o": Origin.parse,
    "c": transport.Connection.parse,
    "b": Bandwidth.parse,
    "t": parse_times,
}

# By the name of the attribute.
ATTRIBUTES: dict[str, Reader] = {
    "candidate": Candidate.parse,
    "extmap": rtp.HeaderExtension.parse,
    "fingerprint": transport.Fingerprint.parse,
    "fmtp": parse_format_parameters,
    "group": Group.parse,
    "ice-options": transport.parse_options,
    "ice-pwd": transport.parse_password,
    "ice-ufrag": transport.parse_ufrag,
    "max-message-size": transport.parse_max_message_size,
    "mid": parse_mid,
    "msid": rtp.MediaStreamId.parse,
    "msid-semantic": MsidSemantic.parse,
    "rid": Rid.parse,
    "rtcp": transport.Rtcp.parse,
    "rtcp-fb": Feedback.parse,
    "rtpmap": RtpMap.parse,
    "sctp-port": transport.parse_sctp_port,
    "sctpmap": transport.parse_sctpmap,
    "setup": transport.parse_setup,
    "simulcast": Simulcast.parse,
    "ssrc": rtp.Source.parse,
    "ssrc-group": rtp.SourceGroup.parse,
}
