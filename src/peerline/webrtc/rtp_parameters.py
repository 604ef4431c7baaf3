"""The dictionaries of senders and receivers, and how codecs are compared (W3C WebRTC 5.2.1 to 5.2.13, 5.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from peerline.sdp import Codec, Fmtp, RtpMap, is_same_codec
from peerline.webidl import (
    Converter,
    Dictionary,
    Member,
    boolean,
    dom_string,
    double,
    enumeration,
    sequence,
    unsigned_long,
    unsigned_short,
)

__all__ = [
    "RTCRtcpParameters", "RTCRtpCapabilities", "RTCRtpCodec", "RTCRtpCodecParameters", "RTCRtpEncodingParameters",
    "RTCRtpHeaderExtensionCapability", "RTCRtpHeaderExtensionParameters", "RTCRtpReceiveParameters",
    "RTCRtpSendParameters", "RTCRtpTransceiverDirection", "codec_dictionary", "dictionary", "is_any_match",
    "is_codec_match",
]  # fmt: skip

RTCRtpTransceiverDirection = enumeration("sendrecv", "sendonly", "recvonly", "inactive", "stopped")
T = TypeVar("T")

_Priority = enumeration("very-low", "low", "medium", "high")
_Degradation = enumeration("maintain-framerate", "maintain-resolution", "balanced", "maintain-framerate-and-resolution")


def dictionary(kind: Callable[[Any], T]) -> Converter[T]:
    """A dictionary of this kind, made of what was given."""

    def convert(value: Any, what: str) -> T:
        return kind(value)

    return convert


class RTCRtpCodec(Dictionary):
    """A codec: `mimeType` "audio/opus", `clockRate` in Hz, `channels`, `sdpFmtpLine` as after a=fmtp:…"""

    mimeType = Member(dom_string, is_required=True)
    clockRate = Member(unsigned_long, is_required=True)
    channels = Member(unsigned_short)
    sdpFmtpLine = Member(dom_string)


class RTCRtpCodecParameters(RTCRtpCodec):
    """A codec with the payload type that was negotiated for it."""

    payloadType = Member(unsigned_short, is_required=True)


class RTCRtpHeaderExtensionCapability(Dictionary):
    """A header extension that is implemented."""

    uri = Member(dom_string, is_required=True)
    direction = Member(RTCRtpTransceiverDirection)


class RTCRtpHeaderExtensionParameters(Dictionary):
    """A header extension and the id that was negotiated for it."""

    uri = Member(dom_string, is_required=True)
    id = Member(unsigned_short, is_required=True)
    encrypted = Member(boolean, default=bool)


class RTCRtpCapabilities(Dictionary):
    """What can be sent, or received, at best."""

    codecs = Member(sequence(dictionary(RTCRtpCodec)), is_required=True)
    headerExtensions = Member(sequence(dictionary(RTCRtpHeaderExtensionCapability)), is_required=True)


class RTCRtcpParameters(Dictionary):
    """How reports are sent: the name that streams of one clock share, and whether reports may be short."""

    cname = Member(dom_string)
    reducedSize = Member(boolean)


class RTCRtpEncodingParameters(Dictionary):
    """One encoding of a track. Bitrates are in bit/s, `scaleResolutionDownBy` divides width and height."""

    rid = Member(dom_string)
    scalabilityMode = Member(dom_string)
    active = Member(boolean, default=lambda: True)
    codec = Member(dictionary(RTCRtpCodec))
    maxBitrate = Member(unsigned_long)
    maxFramerate = Member(double)
    scaleResolutionDownBy = Member(double)
    priority = Member(_Priority, default=lambda: "low")
    networkPriority = Member(_Priority, default=lambda: "low")
    adaptivePtime = Member(boolean, default=bool)


class RTCEncodingOptions(Dictionary):
    """What is to happen once: `keyFrame`, a picture that stands alone (WebRTC Extensions, section 6)."""

    keyFrame = Member(boolean, default=bool)


class RTCSetParameterOptions(Dictionary):
    """For setParameters: one entry for each encoding, or none."""

    encodingOptions = Member(sequence(dictionary(RTCEncodingOptions)), default=list)


class _Parameters(Dictionary):
    headerExtensions = Member(sequence(dictionary(RTCRtpHeaderExtensionParameters)), is_required=True)
    rtcp = Member(dictionary(RTCRtcpParameters), is_required=True)
    codecs = Member(sequence(dictionary(RTCRtpCodecParameters)), is_required=True)


class RTCRtpReceiveParameters(_Parameters):
    """What a receiver is ready to receive."""


class RTCRtpSendParameters(_Parameters):
    """How a sender sends: change `encodings` and give it back to setParameters before anything else happens."""

    transactionId = Member(dom_string, is_required=True)
    encodings = Member(sequence(dictionary(RTCRtpEncodingParameters)), is_required=True)
    degradationPreference = Member(_Degradation)


def codec_dictionary(kind: str, codec: Codec, *, has_payload_type: bool = False) -> RTCRtpCodec:
    """A codec of a description, in the W3C's words."""
    members: dict[str, Any] = {"mimeType": f"{kind}/{codec.name}", "clockRate": codec.clock_rate_hz}
    if kind == "audio":
        members["channels"] = codec.channels
    if codec.fmtp:
        members["sdpFmtpLine"] = codec.fmtp.text
    if has_payload_type:
        return RTCRtpCodecParameters(members, payloadType=codec.payload_type)
    return RTCRtpCodec(members)


def is_codec_match(
    one: Mapping[str, Any], other: Mapping[str, Any], *, ignores_asymmetrical_parameters: bool = False
) -> bool:
    """W3C WebRTC 5.4, "codec dictionary match"."""
    if one["mimeType"].lower() != other["mimeType"].lower() or one["clockRate"] != other["clockRate"]:
        return False
    if one.get("channels") != other.get("channels"):
        return False
    first, second = one.get("sdpFmtpLine"), other.get("sdpFmtpLine")
    if first is None or second is None:
        return first is second
    if not ("=" in first and "=" in second):
        return bool(first == second)
    if not ignores_asymmetrical_parameters:
        return Fmtp(first).parameters == Fmtp(second).parameters
    return is_same_codec(_parsed(one), _parsed(other))


def is_any_match(codec: Mapping[str, Any], codecs: Iterable[Mapping[str, Any]], **how: bool) -> bool:
    """Whether one of them matches."""
    return any(is_codec_match(codec, other, **how) for other in codecs)


def _parsed(codec: Mapping[str, Any]) -> Codec:
    known = RtpMap(0, codec["mimeType"].partition("/")[2], codec["clockRate"], codec.get("channels"))
    return Codec(0, known.name, known.clock_rate_hz, known.channels or 1, Fmtp(codec.get("sdpFmtpLine") or ""))
