"""Which encodings addTransceiver and setParameters take (W3C WebRTC 5.1 and 5.2, "validation steps")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from peerline.errors import InvalidModificationError, OperationError, RangeError
from peerline.jsep.remote_simulcast import MAX_ENCODINGS
from peerline.jsep.transceiver import Encoding, Kind
from peerline.webrtc.capabilities import codecs_for
from peerline.webrtc.rtp_parameters import RTCRtpEncodingParameters, is_any_match

__all__ = ["checked_changes", "checked_encodings"]

# Spatial and temporal layers of an encoder: one of each.
SCALABILITY_MODES = ("L1T1",)

# RFC 8852, section 3.1: letters and digits; RFC 8851's grammar has - and _, which packets cannot carry. Nor can they
# carry more than 16 characters in the one-byte form of header extensions (RFC 8285, section 4.2).
_RID = re.compile("[A-Za-z0-9]{1,16}")


def checked_encodings(kind: Kind, given: Sequence[RTCRtpEncodingParameters]) -> list[Encoding]:
    """What a new sender gets; one encoding if nothing is said. Raises TypeError, RangeError, OperationError."""
    encodings = [RTCRtpEncodingParameters(one) for one in given] or [RTCRtpEncodingParameters()]
    rids = [one.rid for one in encodings if "rid" in one]
    if any(_RID.fullmatch(rid) is None for rid in rids):
        raise TypeError("a rid is 1 to 16 letters and digits")
    if rids and len(rids) != len(encodings):
        raise TypeError("either all encodings have a rid, or none")
    if len(set(rids)) != len(rids):
        raise TypeError("two encodings have the same rid")
    implemented = codecs_for(kind)
    for one in encodings:
        if "codec" in one and not is_any_match(one.codec, implemented):
            raise OperationError(f"{one.codec.mimeType} cannot be sent", hint="See RTCRtpSender.getCapabilities.")
    _drop_video_members(kind, encodings)
    for one in encodings:
        _check_numbers(one)
        _check_scalability(one)
    # Sound has one size.
    del encodings[1 if kind == "audio" else MAX_ENCODINGS :]
    if kind == "video":
        is_scaled = any("scaleResolutionDownBy" in one for one in encodings)
        for index, one in enumerate(encodings):
            if "scaleResolutionDownBy" not in one:
                one["scaleResolutionDownBy"] = 1.0 if is_scaled else 2.0 ** (len(encodings) - index - 1)
    if len(encodings) == 1:
        encodings[0].pop("rid", None)
    elif not rids:
        for index, one in enumerate(encodings):
            one["rid"] = f"r{index}"  # RFC 9429, section 5.2.1: several encodings need names
    return list(encodings)


def checked_changes(
    kind: Kind,
    returned: Sequence[RTCRtpEncodingParameters],
    given: Sequence[RTCRtpEncodingParameters],
    choosable: Sequence[Mapping[str, Any]],
) -> list[Encoding]:
    """What setParameters makes of the encodings. Raises InvalidModificationError, RangeError, OperationError."""
    if [one.rid for one in given] != [one.rid for one in returned]:
        raise InvalidModificationError("encodings are not to be added, removed, renamed or put into another order")
    for one in given:
        if "codec" in one and not is_any_match(one.codec, choosable, ignores_asymmetrical_parameters=True):
            raise InvalidModificationError(f"{one.codec.mimeType} was not negotiated")
    encodings = [RTCRtpEncodingParameters(one) for one in given]
    _drop_video_members(kind, encodings)
    for one in encodings:
        if kind == "video":
            one.setdefault("scaleResolutionDownBy", 1.0)
        _check_numbers(one)
        _check_scalability(one)
    return list(encodings)


def _drop_video_members(kind: Kind, encodings: Sequence[RTCRtpEncodingParameters]) -> None:
    if kind == "audio":
        for one in encodings:
            one.pop("scaleResolutionDownBy", None)
            one.pop("maxFramerate", None)
            one.pop("scalabilityMode", None)


def _check_scalability(encoding: RTCRtpEncodingParameters) -> None:
    """W3C WebRTC-SVC, section 4.1: what no codec can do is no mode."""
    mode = encoding.get("scalabilityMode")
    if mode is not None and mode not in SCALABILITY_MODES:
        raise OperationError(f"{mode} is no way to encode here", hint=f"There are: {', '.join(SCALABILITY_MODES)}.")


def _check_numbers(encoding: RTCRtpEncodingParameters) -> None:
    scale, rate = encoding.scaleResolutionDownBy, encoding.maxFramerate
    if scale is not None and scale < 1:
        raise RangeError(f"scaleResolutionDownBy is at least 1, not {scale}")
    if rate is not None and rate < 0:
        raise RangeError(f"maxFramerate is at least 0, not {rate}")
