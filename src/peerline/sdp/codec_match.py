"""Whether two codecs of two descriptions are the same, whatever their payload types (RFC 9429, section 5.3.1)."""

from __future__ import annotations

from peerline.sdp.codec import Codec
from peerline.sdp.errors import SdpError
from peerline.sdp.fmtp import vp9_profile
from peerline.sdp.h264 import DEFAULT_PROFILE_LEVEL_ID, ProfileLevelId

__all__ = ["is_same_codec"]


def is_same_codec(one: Codec, other: Codec) -> bool:
    """Name, clock rate, channels, and those parameters that make another codec of it. Unreadable ones never match."""
    if (one.key, one.clock_rate_hz, one.channels) != (other.key, other.clock_rate_hz, other.channels):
        return False
    try:
        if one.key == "h264":
            return _has_same_h264(one, other)
        if one.key == "vp9":
            return vp9_profile(one.fmtp) == vp9_profile(other.fmtp)
        if one.key == "av1":
            return one.fmtp.get("profile", "0") == other.fmtp.get("profile", "0")
        if one.key == "h265":
            # RFC 7798, section 7.2.2
            defaults = {"profile-id": "1", "tier-flag": "0", "tx-mode": "SRST"}
            return all(one.fmtp.get(name, value) == other.fmtp.get(name, value) for name, value in defaults.items())
    except SdpError:
        return False
    return True


def _has_same_h264(one: Codec, other: Codec) -> bool:
    ids = [
        ProfileLevelId.parse(codec.fmtp.get("profile-level-id") or DEFAULT_PROFILE_LEVEL_ID) for codec in (one, other)
    ]
    modes = [codec.fmtp.get("packetization-mode", "0") for codec in (one, other)]
    return modes[0] == modes[1] and ids[0].is_same_profile(ids[1])
