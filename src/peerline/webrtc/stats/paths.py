"""Records of one data path: transport, certificates, candidates and selected pair (Statistics API, 7.14 to 7.17)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from peerline.webrtc.stats.candidates import candidate_record
from peerline.webrtc.stats.certificates import certificate_record
from peerline.webrtc.stats.ids import Ids
from peerline.webrtc.stats.records import RTCIceCandidatePairStats, RTCStats, RTCTransportStats

if TYPE_CHECKING:
    from peerline.webrtc.peer_transport import PeerTransport

# As on the wire, which is how the specification wants it.
TLS_VERSIONS = {"1.2": "FEFD", "1.3": "FEFC"}
TRAFFIC = {
    "packetsSent": "packets_sent",
    "packetsReceived": "packets_received",
    "bytesSent": "bytes_sent",
    "bytesReceived": "bytes_received",
}
TIMES = {"currentRoundTripTime": "round_trip_us", "totalRoundTripTime": "total_round_trip_us"}
MOMENTS = {
    "lastPacketSentTimestamp": "last_sent_age_us",
    "lastPacketReceivedTimestamp": "last_received_age_us",
}
CHECKS = {
    "requestsSent": "requests_sent",
    "responsesReceived": "responses_received",
    "requestsReceived": "requests_received",
    "responsesSent": "responses_sent",
    "consentRequestsSent": "consent_requests_sent",
}


def path_records(path: PeerTransport, figures: Mapping[str, Any] | None, ids: Ids, now: float) -> Iterator[RTCStats]:
    """`figures` are the engine's counters: None before it has any, without those that it does not know."""
    transport_id = ids.of("T", path.dtls)
    ours = [certificate_record(path.certificate._core.der, now)]
    theirs = [certificate_record(der, now) for der in path.remote_certificates]
    yield from (*ours, *theirs)
    pair_id = None
    seen: dict[str, RTCStats] = {}
    for candidate, is_local in _candidates(path):
        record = candidate_record(candidate, transport_id, ids, now, is_local=is_local)
        if record is not None:
            seen[record.id] = record
    pair = _pair_record(path, transport_id, figures or {}, ids, now)
    if pair is not None:
        pair_id = pair.id
        seen[pair.id] = pair
    yield from seen.values()
    news = path.news
    yield RTCTransportStats(
        timestamp=now,
        type="transport",
        id=transport_id,
        iceRole=path.ice.role,
        iceState=path.ice.state,
        iceLocalUsernameFragment=path.credentials.ufrag,
        dtlsState=path.dtls.state,
        dtlsRole=path.dtls_role,
        tlsVersion=TLS_VERSIONS.get(news.dtls_version or ""),
        srtpCipher=news.srtp_profile,
        selectedCandidatePairId=pair_id,
        selectedCandidatePairChanges=path.selected_pair_changes,
        localCertificateId=ours[0].id,
        remoteCertificateId=theirs[0].id if theirs else None,
        **_counted(TRAFFIC, dict.fromkeys(TRAFFIC.values(), 0) if figures is None else figures),
    )


def _candidates(path: PeerTransport) -> Iterator[tuple[Any, bool]]:
    yield from ((candidate, True) for candidate in path.ice.getLocalCandidates())
    yield from ((candidate, False) for candidate in path.ice.getRemoteCandidates())
    pair = path.ice.getSelectedCandidatePair()
    if pair is not None:
        yield from ((pair.local, True), (pair.remote, False))


def _pair_record(
    path: PeerTransport, transport_id: str, figures: Mapping[str, Any], ids: Ids, now: float
) -> RTCIceCandidatePairStats | None:
    pair = path.ice.getSelectedCandidatePair()
    if pair is None:
        return None
    local = candidate_record(pair.local, transport_id, ids, now, is_local=True)
    remote = candidate_record(pair.remote, transport_id, ids, now, is_local=False)
    if local is None or remote is None:
        return None
    # The engine counts by path: what went over which of several pairs is not known.
    traffic = _counted(TRAFFIC, figures) if path.selected_pair_changes <= 1 else {}
    times = {member: figures[name] / 1e6 for member, name in TIMES.items() if name in figures}
    moments = {member: now - figures[name] / 1e3 for member, name in MOMENTS.items() if name in figures}
    return RTCIceCandidatePairStats(
        timestamp=now,
        type="candidate-pair",
        id=ids.of_key("I", local.id, remote.id),
        transportId=transport_id,
        localCandidateId=local.id,
        remoteCandidateId=remote.id,
        state="succeeded",
        nominated=True,
        **traffic,
        **_counted(CHECKS, figures),
        **times,
        **_estimate(figures),
        **(moments if traffic else {}),
    )


def _estimate(figures: Mapping[str, Any]) -> dict[str, float]:
    """What congestion control takes the path for; there is none before media was negotiated."""
    media = figures.get("media")
    return {"availableOutgoingBitrate": media["target_bps"]} if media is not None and media["sent"] else {}


def _counted(members: Mapping[str, str], figures: Mapping[str, Any]) -> dict[str, Any]:
    return {member: figures[name] for member, name in members.items() if name in figures}
