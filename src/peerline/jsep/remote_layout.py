"""Which transports a remote description means: of an offer, or what an answer leaves of ours (RFC 9143, 7.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from peerline.errors import InvalidAccessError
from peerline.jsep.record import Record
from peerline.jsep.transport import Credentials, Layout, TransportPlan
from peerline.sdp import Description, MediaSection

__all__ = ["lay_out_answer", "lay_out_offer", "with_remote"]


def with_remote(plan: TransportPlan, description: Description, index: int) -> TransportPlan:
    """The transport, reached as the section at `index` says."""
    media = description.media[index]
    ice = description.ice_of(media)
    if ice is None:
        return plan
    fingerprints = description.fingerprints_of(media) or plan.fingerprints
    return replace(plan, remote=Credentials(*ice), fingerprints=fingerprints)


def lay_out_offer(record: Record, offer: Description, mids: Sequence[str], accepted: Sequence[bool]) -> Layout:
    """Sections of a BUNDLE group share the transport of the first that is accepted and has an address.

    `accepted` says of each section whether it is one that we can have; those without any transport are refused, too.
    """
    places = {mid: index for index, mid in enumerate(mids)}
    stands_for: dict[int, int] = {}
    for group in offer.session.groups:
        members = [places[mid] for mid in group.mids if mid in places and accepted[places[mid]]]
        if group.semantics != "BUNDLE" or not members:
            continue
        with_address = [index for index in members if not offer.media[index].is_bundle_only]
        if with_address or record.layout.of(members[0]) is not None:
            stands_for |= dict.fromkeys(members, (with_address or members)[0])
    transports: dict[int, TransportPlan] = {}
    keys: list[int | None] = []
    of_tag: dict[int, int] = {}
    next_key = record.next_key
    for index, is_accepted in enumerate(accepted):
        tag = stands_for.get(index, index)
        if not is_accepted or (offer.media[index].is_bundle_only and index not in stands_for):
            keys.append(None)
            continue
        if tag not in of_tag:
            plan = record.layout.of(tag)
            # A section that left its group cannot keep the group's transport. Another certificate means another peer,
            # and a DTLS association with it (RFC 8842, section 4).
            is_other_peer = plan is not None and not plan.is_of(offer.fingerprints_of(offer.media[tag]))
            if plan is None or plan.key in transports or is_other_peer:
                local, token = record.randomness.credentials(), record.randomness.token()
                plan = TransportPlan(next_key, mids[tag], tag, local, token, is_controlling=offer.session.is_ice_lite)
                next_key += 1
            transports[plan.key] = with_remote(replace(plan, index=tag, mid=mids[tag]), offer, tag)
            of_tag[tag] = plan.key
        keys.append(of_tag[tag])
    if record.settings.bundle_policy == "max-bundle":
        # Who wants one transport gets one: sections outside of the first's group are refused (RFC 9429, 4.1.1).
        first = next((key for key in keys if key is not None), None)
        keys = [key if key == first else None for key in keys]
    return Layout(transports, tuple(keys)).pruned()


def lay_out_answer(record: Record, answer: Description, *, is_final: bool) -> Layout:
    """Our offer's transports without those of sections that are rejected, or that BUNDLE has moved elsewhere.

    Raises InvalidAccessError if a section is left that has no transport.
    """
    pending = record.pending_local
    assert pending is not None
    ours = pending.sections
    keys, tags = _answered_carriers(record, answer, ours)
    transports = dict(record.layout.transports)
    carriers = list(keys)
    for key in dict.fromkeys(keys):
        if key is None:
            continue
        users = [index for index, carrier in enumerate(keys) if carrier == key]
        plan = transports[key]
        index = tags.get(key, plan.index if plan.index in users else users[0])
        if not plan.is_of(answer.fingerprints_of(answer.media[index])):
            plan = _of_other_peer(record, transports, plan, answer, index)
            carriers = [plan.key if carrier == key else carrier for carrier in carriers]
        plan = with_remote(replace(plan, index=index, mid=ours[index].mid or plan.mid), answer, index)
        setup = answer.setup_of(answer.media[index])
        role = "passive" if setup == "active" else "active" if setup == "passive" else plan.role or "passive"
        transports[plan.key] = replace(plan, role=role)
    layout = Layout(transports, tuple(carriers))
    return layout.pruned() if is_final else layout


def _answered_carriers(
    record: Record, answer: Description, ours: Sequence[MediaSection]
) -> tuple[list[int | None], dict[int, int]]:
    """The transport of each section, and the section that stands for each group's."""
    places = {media.mid: index for index, media in enumerate(ours)}
    keys = [None if media.is_rejected else record.offered.carriers[index] for index, media in enumerate(answer.media)]
    grouped: set[int] = set()
    tags: dict[int, int] = {}
    for group in answer.session.groups:
        members = [places[mid] for mid in group.mids if mid in places and keys[places[mid]] is not None]
        if group.semantics != "BUNDLE" or not members:
            continue
        tag = next((index for index in members if not ours[index].is_bundle_only), members[0])
        grouped.update(members)
        for index in members:
            keys[index] = keys[tag]
        key = keys[tag]
        assert key is not None
        tags[key] = tag
    for index, media in enumerate(ours):
        if keys[index] is not None and media.is_bundle_only and index not in grouped:
            raise InvalidAccessError(
                f"media section {index} was offered as bundle-only and is accepted outside of a group (RFC 9143, 7.3.3)"
            )
    return keys, tags


def _of_other_peer(
    record: Record, transports: Mapping[int, TransportPlan], plan: TransportPlan, answer: Description, index: int
) -> TransportPlan:
    """Somebody else answers than answered before: a transport of theirs, at the address that was offered."""
    fingerprints = answer.fingerprints_of(answer.media[index])
    for other in transports.values():
        if other.local == plan.local and other.is_of(fingerprints):
            return other
    return replace(plan, key=max([record.next_key, *(key + 1 for key in transports)]), role=None, fingerprints=())
