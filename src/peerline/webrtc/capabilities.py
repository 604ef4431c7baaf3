"""What senders and receivers can do at best: getCapabilities (W3C WebRTC 5.2.10 to 5.2.12)."""

from __future__ import annotations

from typing import Any

from peerline.jsep import CODECS, EXTENSIONS, RTX
from peerline.jsep.transceiver import Kind
from peerline.sdp import Codec
from peerline.webidl import dom_string
from peerline.webrtc.rtp_parameters import RTCRtpCapabilities, RTCRtpCodec, codec_dictionary, is_codec_match

__all__ = ["codec_of", "codecs_for", "get_capabilities"]


def codecs_for(kind: Kind) -> list[RTCRtpCodec]:
    """Every codec, and retransmission once for all of them."""
    return [codec_dictionary(kind, codec) for codec in _table(kind)]


def get_capabilities(kind: Any) -> RTCRtpCapabilities | None:
    """The same for sending and for receiving; None for what is neither audio nor video."""
    text = dom_string(kind, "kind")
    if text not in ("audio", "video"):
        return None
    wanted: Kind = "audio" if text == "audio" else "video"
    extensions = [{"uri": uri, "direction": "sendrecv"} for uri in EXTENSIONS[wanted]]
    return RTCRtpCapabilities(codecs=codecs_for(wanted), headerExtensions=extensions)


def codec_of(kind: Kind, wanted: RTCRtpCodec) -> Codec | None:
    """The codec that is meant, if it is one of ours."""
    for codec in _table(kind):
        if is_codec_match(codec_dictionary(kind, codec), wanted):
            return codec
    return None


def _table(kind: Kind) -> list[Codec]:
    codecs = [row.codec for row in CODECS[kind]]
    if any(row.rtx is not None for row in CODECS[kind]):
        codecs.insert(1, RTX)
    return codecs
