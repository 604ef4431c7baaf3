"""Records of ICE candidates (Statistics API, section 7.15)."""

from __future__ import annotations

from typing import Any

from peerline.webrtc.ice_candidate import RTCIceCandidate
from peerline.webrtc.stats.ids import Ids
from peerline.webrtc.stats.records import RTCIceCandidateStats


def candidate_record(
    candidate: RTCIceCandidate, transport_id: str, ids: Ids, now: float, *, is_local: bool
) -> RTCIceCandidateStats | None:
    """Of one of ours or theirs; None if its line could not be read."""
    if candidate.type is None:
        return None
    is_hidden = not is_local and candidate.type == "prflx"
    kind = "local-candidate" if is_local else "remote-candidate"
    where = (transport_id, candidate.address, candidate.port, candidate.protocol, candidate.type, candidate.tcpType)
    members: dict[str, Any] = {
        "timestamp": now,
        "type": kind,
        "id": ids.of_key("L" if is_local else "R", *where),
        "transportId": transport_id,
        "candidateType": candidate.type,
        # Who was never told of an address does not learn it here (section 7.15, "address").
        "address": None if is_hidden else candidate.address,
    }
    known = {
        "port": candidate.port,
        "protocol": candidate.protocol,
        "priority": candidate.priority,
        "foundation": candidate.foundation,
        "usernameFragment": candidate.usernameFragment,
        "tcpType": candidate.tcpType,
        "relatedAddress": candidate.relatedAddress,
        "relatedPort": candidate.relatedPort,
        "url": candidate.url,
        "relayProtocol": candidate.relayProtocol,
    }
    return RTCIceCandidateStats(members, **known)
