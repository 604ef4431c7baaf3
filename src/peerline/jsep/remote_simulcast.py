"""Encodings that a remote description asks for, or does not want (W3C WebRTC 4.4.1.5, 5.4.1; RFC 8853, section 5)."""

from __future__ import annotations

from peerline.jsep.transceiver import Transceiver
from peerline.sdp import MediaSection

__all__ = ["MAX_ENCODINGS", "keep_answered_layers", "take_proposed_layers"]

MAX_ENCODINGS = 3


def take_proposed_layers(transceiver: Transceiver, media: MediaSection) -> None:
    """An offer to receive several encodings makes a sender of one encoding a sender of these."""
    simulcast = media.simulcast
    rids = list(dict.fromkeys(stream.alternatives[0] for stream in simulcast.recv)) if simulcast is not None else []
    rids = rids[:MAX_ENCODINGS]
    is_single = len(transceiver.encodings) == 1 and "rid" not in transceiver.encodings[0]
    if not rids or media.is_rejected or (transceiver.encodings and not is_single):
        return
    last = len(rids) - 1
    transceiver.encodings = [
        {"rid": rid, "active": True, "scaleResolutionDownBy": float(2 ** (last - index))}
        if transceiver.kind == "video"
        else {"rid": rid, "active": True}
        for index, rid in enumerate(rids)
    ]
    transceiver.sender_revision += 1


def keep_answered_layers(transceiver: Transceiver, media: MediaSection) -> None:
    """An answer leaves those encodings that it names; the first one, if it names none."""
    simulcast = media.simulcast
    asked = {rid for stream in simulcast.recv for rid in stream.alternatives} if simulcast is not None else set()
    kept = [encoding for encoding in transceiver.encodings if encoding.get("rid") in asked]
    transceiver.encodings = kept or transceiver.encodings[:1]
    transceiver.sender_revision += 1
