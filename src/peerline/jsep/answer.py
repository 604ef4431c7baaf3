"""Creates an answer: for each section of the offer what both sides can do, or a refusal (RFC 9429, section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from peerline.jsep.applied import Applied
from peerline.jsep.candidates import with_gathered
from peerline.jsep.codecs import is_media, rows_for
from peerline.jsep.direction import intersect, reverse, sends
from peerline.jsep.header_extensions import answer_extensions
from peerline.jsep.offer_layout import prepared_credentials
from peerline.jsep.payload_types import answer_codecs
from peerline.jsep.record import Created, Record
from peerline.jsep.remote_layout import with_remote
from peerline.jsep.transceiver import Transceiver, rids_of
from peerline.jsep.transport import Credentials, DtlsRole, Layout, TransportPlan
from peerline.jsep.write import Carrier, data_section, media_section, rejected_section, session_section
from peerline.sdp import Codec, Description, MediaSection

__all__ = ["common_codecs", "create_answer"]


@dataclass(frozen=True)
class _Part:
    """One section of the offer and what becomes of it."""

    offered: MediaSection
    mid: str
    transceiver: Transceiver | None
    codecs: Sequence[Codec]
    is_rejected: bool


def create_answer(record: Record) -> Created:
    """Changes nothing but what is remembered of the answer itself. Call it while an offer of the peer is pending."""
    remote = record.pending_remote
    assert remote is not None
    offer = remote.description
    parts = [_part(record, remote, index) for index in range(len(offer.media))]
    groups = _groups(offer, parts)
    layout = _lay_out(record, offer, parts, groups)
    sections = [_section(record, offer, part, layout.of(index)) for index, part in enumerate(parts)]
    media = with_gathered(record, sections, layout)
    description = Description(session_section(record.settings, record.version, groups), media)
    text = str(description)
    if record.last_answer is not None and record.last_answer.text != text:
        record.version += 1
        description = replace(description, session=session_section(record.settings, record.version, groups))
        text = str(description)
    data_mid = next((part.mid for part in parts if part.transceiver is None and not part.is_rejected), None)
    members = tuple(part.transceiver for part in parts)
    record.last_answer = Created("answer", description, text, data_mid, layout, members)
    return record.last_answer


def common_codecs(transceiver: Transceiver, offered: MediaSection) -> list[Codec]:
    """What both sides have; nothing if only repairs, tones and silence are left."""
    rows = rows_for(transceiver.kind, transceiver.preferred_codecs)
    codecs = answer_codecs(rows, offered.codecs, is_ordered=bool(transceiver.preferred_codecs))
    return codecs if any(map(is_media, codecs)) else []


def _part(record: Record, remote: Applied, index: int) -> _Part:
    offered = remote.description.media[index]
    transceiver = record.at(index)
    if record.offered.of(index) is None:
        mid = transceiver.mid if transceiver is not None else offered.mid
        return _Part(offered, mid or "", transceiver, (), is_rejected=True)
    if transceiver is None:
        return _Part(offered, remote.data_mid or "", None, (), is_rejected=False)
    codecs = common_codecs(transceiver, offered)
    assert transceiver.mid is not None
    return _Part(offered, transceiver.mid, transceiver, codecs, is_rejected=not codecs or transceiver.is_stopped)


def _groups(offer: Description, parts: Sequence[_Part]) -> list[list[str]]:
    """The offer's groups without what is rejected. The first of each that has an address stands for it."""
    alive = {part.mid: part for part in parts if not part.is_rejected}
    groups = []
    for group in offer.session.groups:
        mids = [mid for mid in group.mids if mid in alive] if group.semantics == "BUNDLE" else []
        if mids:
            first = next((mid for mid in mids if not alive[mid].offered.is_bundle_only), mids[0])
            groups.append([first, *(mid for mid in mids if mid != first)])
    return groups


def _lay_out(record: Record, offer: Description, parts: Sequence[_Part], groups: Sequence[Sequence[str]]) -> Layout:
    keys = [None if part.is_rejected else carrier for part, carrier in zip(parts, record.offered.carriers, strict=True)]
    places = {part.mid: index for index, part in enumerate(parts)}
    transports: dict[int, TransportPlan] = {}
    for key in dict.fromkeys(keys):
        if key is None:
            continue
        plan = record.layout.transports[key]
        users = [index for index, carrier in enumerate(keys) if carrier == key]
        if plan.index not in users:
            tagged = [places[group[0]] for group in groups if places[group[0]] in users]
            index = (tagged or users)[0]
            plan = with_remote(replace(plan, index=index, mid=parts[index].mid), offer, index)
        transports[key] = replace(plan, role=_role(plan, offer, plan.index), local=_local(record, plan))
    return Layout(transports, tuple(keys))


def _local(record: Record, plan: TransportPlan) -> Credentials:
    """Other credentials, if the peer restarts ICE (RFC 8839, section 4.4.1.1.1)."""
    before = record.stable.layout.transports.get(plan.key) if record.stable is not None else None
    if before is None or before.remote is None or before.remote == plan.remote or before.local != plan.local:
        return plan.local
    return prepared_credentials(record, plan.key)


def _role(plan: TransportPlan, offer: Description, index: int) -> DtlsRole:
    """Who begins DTLS: whoever the offer says; if it leaves that to us, as it was, else ourselves (RFC 8842, 5.3)."""
    setup = offer.setup_of(offer.media[index])
    if setup == "active":
        return "passive"
    return "active" if setup == "passive" or plan.role is None else plan.role


def _section(record: Record, offer: Description, part: _Part, plan: TransportPlan | None) -> MediaSection:
    offered = part.offered
    if plan is None:
        return rejected_section(offered.kind, offered.protocol, offered.formats, part.mid or None)
    assert plan.role is not None
    carrier = Carrier(plan, plan.role, has_tls_id=offered.has("tls-id") or offer.session.has("tls-id"))
    if part.transceiver is None:
        return data_section(part.mid, carrier, record.settings, protocol=offered.protocol)
    transceiver = part.transceiver
    direction = intersect(reverse(offer.direction_of(offered)), transceiver.direction)
    if sends(direction) and transceiver.ssrcs is None:
        transceiver.ssrcs = (record.randomness.ssrc(), record.randomness.ssrc())
    return media_section(
        transceiver, part.mid, carrier, record.settings,
        protocol=offered.protocol,
        direction=direction,
        codecs=part.codecs,
        extensions=answer_extensions(transceiver, offered.header_extensions),
        rids=_rids(transceiver, offered),
        is_offer=False,
        is_reduced_size=offered.is_rtcp_reduced_size,
    )  # fmt: skip


def _rids(transceiver: Transceiver, offered: MediaSection) -> list[str]:
    """Those encodings that the peer asks to receive (W3C WebRTC 4.4.2, "final steps to create an answer")."""
    simulcast = offered.simulcast
    ours = rids_of(transceiver.encodings)
    asked = [stream.alternatives[0] for stream in simulcast.recv] if simulcast is not None else []
    return [rid for rid in dict.fromkeys(asked) if rid in ours]
