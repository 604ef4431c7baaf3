"""What both descriptions of a section come to: codecs to send and to receive, header extensions (W3C WebRTC 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from peerline.jsep.codecs import is_media
from peerline.jsep.direction import receives
from peerline.jsep.transceiver import Transceiver
from peerline.sdp import Codec, MediaSection, is_same_codec

__all__ = ["agree_on_codecs"]


def agree_on_codecs(transceiver: Transceiver, *, ours: MediaSection, theirs: MediaSection, direction: str) -> None:
    """Packets carry the receiver's payload types: we send theirs and receive ours. The parameters of what we send are
    theirs, too, as each side describes what it wants to get."""
    transceiver.send_codecs = tuple(_shared(theirs, ours))
    transceiver.receive_codecs = tuple(_shared(ours, theirs)) if receives(direction) else ()
    uris = {extension.uri: extension for extension in theirs.header_extensions}
    transceiver.extensions = tuple(uris[one.uri] for one in ours.header_extensions if one.uri in uris)
    transceiver.is_rtcp_reduced_size = ours.is_rtcp_reduced_size and theirs.is_rtcp_reduced_size
    transceiver.sender_revision += 1
    for encoding in transceiver.encodings:
        chosen = encoding.get("codec")
        if chosen is not None and not any(_is_chosen(chosen, codec, transceiver) for codec in transceiver.send_codecs):
            del encoding["codec"]


def _shared(own: MediaSection, other: MediaSection) -> Iterator[Codec]:
    """Those of one section that the other has as well, with what repairs them, and the feedback that both know."""
    by_number = {codec.payload_type: codec for codec in reversed(other.codecs)}
    has_rtx = any(codec.key == "rtx" for codec in other.codecs)
    shared: set[int] = set()
    for codec in own.codecs:
        if codec.key == "rtx":
            if has_rtx and codec.repairs in shared:
                yield codec
            continue
        likely = by_number.get(codec.payload_type)
        same = [likely] if likely is not None and is_same_codec(codec, likely) else []
        same += [one for one in other.codecs if is_same_codec(codec, one)]
        if same:
            shared.add(codec.payload_type)
            known = {(one.kind, one.parameter) for one in same[0].feedback}
            feedback = tuple(one for one in codec.feedback if (one.kind, one.parameter) in known)
            yield replace(codec, feedback=feedback)


def _is_chosen(chosen: object, codec: Codec, transceiver: Transceiver) -> bool:
    get = getattr(chosen, "get", None)
    if get is None or not is_media(codec):
        return False
    is_same_name = str(get("mimeType", "")).lower() == f"{transceiver.kind}/{codec.key}"
    return is_same_name and get("clockRate") == codec.clock_rate_hz
