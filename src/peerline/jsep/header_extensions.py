"""The RTP header extensions that are offered, their ids, and the answer to an offer of them (RFC 8285, section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from peerline.jsep.direction import TransceiverDirection, direction_of, receives, reverse, sends
from peerline.jsep.transceiver import Kind, Transceiver
from peerline.sdp import HeaderExtension

__all__ = ["EXTENSIONS", "MID", "SHORT_NAMES", "answer_extensions", "offer_extensions"]

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ORIENTATION = "urn:3gpp:video-orientation"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

# What the packet core calls those that it reads and writes.
SHORT_NAMES = {
    AUDIO_LEVEL: "audio_level",
    ABS_SEND_TIME: "absolute_send_time",
    TRANSPORT_CC: "transport_sequence",
    ORIENTATION: "orientation",
    PLAYOUT_DELAY: "playout_delay",
    MID: "mid",
}

# With the ids that Chromium gives them, for the same reason as with codecs.
EXTENSIONS: dict[Kind, dict[str, int]] = {
    "audio": {AUDIO_LEVEL: 1, ABS_SEND_TIME: 2, TRANSPORT_CC: 3, MID: 4},
    "video": {ORIENTATION: 13, ABS_SEND_TIME: 2, TRANSPORT_CC: 3, PLAYOUT_DELAY: 5, MID: 4, RID: 10, REPAIRED_RID: 11},
}
# 15 ends a header of one-byte ids (RFC 8285, section 4.2); two-byte ones begin where it would be.
_IDS = (*range(1, 15), *range(16, 256))


def _wanted(transceiver: Transceiver) -> dict[str, TransceiverDirection]:
    return transceiver.preferred_extensions or dict.fromkeys(EXTENSIONS[transceiver.kind], "sendrecv")


def offer_extensions(
    transceiver: Transceiver, known: Sequence[HeaderExtension], elsewhere: Mapping[int, str]
) -> list[HeaderExtension]:
    """Those of an offer. An id that has meant one URI never means another (RFC 9143, section 9.3)."""
    taken = {one.id: one.uri for one in known}
    made: list[HeaderExtension] = []
    for uri, direction in _wanted(transceiver).items():
        if direction == "inactive":
            continue
        candidates = [id_ for table in (taken, elsewhere) for id_, other in table.items() if other == uri]
        candidates += [EXTENSIONS[transceiver.kind][uri], *_IDS]
        for id_ in candidates:
            if taken.get(id_, uri) == uri and elsewhere.get(id_, uri) == uri:
                taken[id_] = uri
                made.append(HeaderExtension(id_, uri, None if direction == "sendrecv" else direction))
                break
    return made


def answer_extensions(transceiver: Transceiver, offered: Sequence[HeaderExtension]) -> list[HeaderExtension]:
    """Those of the offer that we have, under its ids, in the directions both allow."""
    wanted = _wanted(transceiver)
    made: dict[str, HeaderExtension] = {}
    for theirs in offered:
        ours = wanted.get(theirs.uri, "inactive")
        asked = reverse(theirs.direction or "sendrecv")
        direction = direction_of(sends(ours) and sends(asked), receives(ours) and receives(asked))
        if theirs.uri not in made and direction != "inactive":
            said = None if direction == "sendrecv" else direction
            made[theirs.uri] = HeaderExtension(theirs.id, theirs.uri, said)
    return list(made.values())
