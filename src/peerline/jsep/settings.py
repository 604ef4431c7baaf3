"""What negotiation is told once about the whole connection (W3C WebRTC 4.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from peerline.sdp import Fingerprint

__all__ = ["BundlePolicy", "RtcpMuxPolicy", "Settings"]

BundlePolicy = Literal["balanced", "max-compat", "max-bundle"]
RtcpMuxPolicy = Literal["negotiate", "require"]


@dataclass(frozen=True)
class Settings:
    """`session_id` and `cname` are random, and the same for as long as the connection lives."""

    session_id: int
    cname: str
    fingerprints: tuple[Fingerprint, ...] = ()
    bundle_policy: BundlePolicy = "balanced"
    rtcp_mux_policy: RtcpMuxPolicy = "require"
    sctp_port: int = 5000
    max_message_bytes: int = 262144
