"""Whether a remote description can be set: it must fit the grammar's meaning, and what was agreed (RFC 9429, 5.8).

Nothing is changed here. What is wrong is an InvalidAccessError (a track in two sections an OperationError), which names
the media section and the RFC.
"""

from __future__ import annotations

from peerline.errors import InvalidAccessError, OperationError
from peerline.jsep.direction import intersect, reverse
from peerline.jsep.record import Record
from peerline.sdp import Description, MediaSection, MediaStreamId

__all__ = ["check_answer", "check_offer", "is_supported", "mids_of"]

_RTP = frozenset(("UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF"))
_DATA = frozenset(("UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"))


def is_supported(media: MediaSection) -> bool:
    """Whether it is of a kind and a protocol that are known; all others are refused, which is no error."""
    if media.kind in ("audio", "video"):
        return media.protocol in _RTP
    return media.kind == "application" and media.protocol in _DATA and media.sctp_port is not None


def mids_of(record: Record, description: Description) -> list[str]:
    """The name of each section; a section that has none is given the one it has had, or a new one (RFC 9429, 5.10)."""
    taken = {media.mid for media in description.media} | record.mids()
    mids: list[str] = []
    fresh = record.next_mid
    for index, media in enumerate(description.media):
        mid = media.mid
        if mid is None:
            transceiver = record.at(index)
            if transceiver is not None and transceiver.mid is not None:
                mid = transceiver.mid
            elif record.data_index == index and record.data_mid is not None:
                mid = record.data_mid
            else:
                while str(fresh) in taken:
                    fresh += 1
                mid = str(fresh)
                taken.add(mid)
        mids.append(mid)
    return mids


def check_offer(record: Record, offer: Description, mids: list[str]) -> None:
    """Raise InvalidAccessError for an offer that contradicts itself or what was agreed."""
    before = record.current_remote or record.current_local
    for index, old in enumerate(before.description.media if before is not None else ()):
        if index >= len(offer.media):
            raise _wrong(index, "is missing: sections never go, they are rejected", "RFC 9429, section 5.8.3")
        new = offer.media[index]
        is_reused = _was_rejected(record, index)
        if not is_reused and new.kind != old.kind:
            raise _wrong(index, f"is of {new.kind} and was of {old.kind}", "RFC 3264, section 8")
        if not is_reused and not new.is_rejected and new.mid is not None and old.mid is not None and new.mid != old.mid:
            raise _wrong(index, "has another mid than it had", "RFC 9429, section 5.8.3")
    _check(record, offer, mids)


def check_answer(record: Record, answer: Description, mids: list[str]) -> None:
    """Raise InvalidAccessError for an answer that is not one to our offer."""
    pending = record.pending_local
    assert pending is not None
    offer = pending.description
    if len(answer.media) != len(offer.media):
        raise InvalidAccessError(
            f"the answer has {len(answer.media)} media sections, the offer {len(offer.media)} (RFC 3264, section 6)"
        )
    for index, (theirs, ours) in enumerate(zip(answer.media, offer.media, strict=True)):
        if theirs.kind != ours.kind:
            raise _wrong(index, f"is of {theirs.kind}, the offer's of {ours.kind}", "RFC 3264, section 6")
        if theirs.is_rejected:
            continue
        if ours.is_rejected:
            raise _wrong(index, "is accepted, but was not offered", "RFC 3264, section 6")
        if theirs.protocol != ours.protocol:
            raise _wrong(index, f"has the protocol {theirs.protocol}", "RFC 3264, section 6")
        if theirs.mid is not None and theirs.mid != ours.mid:
            raise _wrong(index, "has another mid than the offer's", "RFC 5888, section 9.1")
        if answer.setup_of(theirs) in ("actpass", "holdconn"):
            raise _wrong(index, "leaves open who begins DTLS", "RFC 8842, section 5.3")
        wanted = reverse(answer.direction_of(theirs))
        if theirs.is_rtp and intersect(offer.direction_of(ours), wanted) != wanted:
            raise _wrong(index, f"is {answer.direction_of(theirs)}, which was not offered", "RFC 3264, section 6.1")
        offered_ids = {one.uri: one.id for one in ours.header_extensions}
        for extension in theirs.header_extensions:
            if offered_ids.get(extension.uri, extension.id) != extension.id:
                raise _wrong(index, f"gives {extension.uri} another id than the offer", "RFC 8285, section 6")
    _check(record, answer, [ours.mid or mid for ours, mid in zip(offer.media, mids, strict=True)])
    offered = [set(group.mids) for group in offer.session.groups]
    for group in _bundles(answer):
        if not any(set(group) <= one for one in offered):
            raise InvalidAccessError("the answer bundles what the offer does not (RFC 9143, section 7.3)")


def _check(record: Record, description: Description, mids: list[str]) -> None:
    groups = _bundles(description)
    named = [mid for group in groups for mid in group]
    known = set(mids)
    if len(set(named)) != len(named) or not set(named) <= known:
        raise InvalidAccessError("a BUNDLE group names a section twice, or one that is not there (RFC 9143, section 7)")
    tracks: set[MediaStreamId] = set()
    first = {group.mids[0] for group in description.session.groups if group.semantics == "BUNDLE" and group.mids}
    for index, (media, mid) in enumerate(zip(description.media, mids, strict=True)):
        if media.is_rejected or not is_supported(media):
            continue
        if media.has("crypto") and not description.fingerprints_of(media):
            raise _wrong(index, "asks for SDES, which browsers have given up", "RFC 8827, section 6.5")
        reserved = next((name for name in media.formats if media.is_rtp and 64 <= int(name) <= 95), None)
        if reserved is not None:
            raise _wrong(
                index, f"has the payload type {reserved}, which RTCP would be taken for", "RFC 5761, section 4"
            )
        said = {one for one in media.msids if one.track is not None}
        if said & tracks:
            raise OperationError(f"media section {index} has the track of another one (RFC 8830, section 2)")
        tracks |= said
        if media.is_bundle_only or (mid in named and mid not in first):
            continue  # another section's transport is its own, too
        if media.is_rtp and record.settings.rtcp_mux_policy == "require" and not media.is_rtcp_mux:
            raise _wrong(index, "wants RTCP on a port of its own", "RFC 9429, section 4.1.1")
        if description.ice_of(media) is None:
            raise _wrong(index, "has no a=ice-ufrag and a=ice-pwd", "RFC 9429, section 5.8.2")
        if not description.fingerprints_of(media):
            raise _wrong(index, "has no a=fingerprint", "RFC 9429, section 5.8.2")


def _bundles(description: Description) -> list[tuple[str, ...]]:
    return [group.mids for group in description.session.groups if group.semantics == "BUNDLE"]


def _was_rejected(record: Record, index: int) -> bool:
    sections = [one.section(index) for one in (record.current_local, record.current_remote) if one is not None]
    return any(section is not None and section.is_rejected for section in sections)


def _wrong(index: int, what: str, rfc: str) -> InvalidAccessError:
    return InvalidAccessError(f"media section {index} {what} ({rfc})")
