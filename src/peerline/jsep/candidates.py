"""Candidates in descriptions: found here, or told by the peer, and the ends of both (RFC 8840, section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

from peerline.errors import OperationError
from peerline.jsep.applied import Applied, with_candidates
from peerline.jsep.record import Gathered, Record
from peerline.jsep.transport import Layout
from peerline.sdp import Candidate, MediaSection

__all__ = ["add_gathered", "add_local", "add_remote", "end_local", "remote_sections", "with_gathered"]


def add_gathered(record: Record, applied: Applied, layout: Layout) -> None:
    """Add the candidates that are known already, each where its transport is spoken for."""
    for plan in layout.transports.values():
        gathered = record.gathered.get(plan.local.ufrag)
        if gathered is not None and plan.index < len(applied.sections):
            for candidate in gathered.lines:
                applied.add(plan.index, candidate)
            if gathered.is_complete:
                applied.add(plan.index, None)


def with_gathered(record: Record, media: list[MediaSection], layout: Layout) -> tuple[MediaSection, ...]:
    """Sections of a new description, with the candidates that are known already."""
    for plan in layout.transports.values() if record.gathered else ():
        gathered = record.gathered.get(plan.local.ufrag)
        if gathered is not None:
            found: list[Candidate | None] = [*gathered.lines, *((None,) if gathered.is_complete else ())]
            media[plan.index] = with_candidates(media[plan.index], found, has_default=True)
    return tuple(media)


def add_local(record: Record, ufrag: str, candidate: Candidate) -> None:
    """A candidate of ours was found."""
    record.gathered.setdefault(ufrag, Gathered()).lines.append(candidate)
    _add_local(record, ufrag, candidate)


def end_local(record: Record, ufrag: str) -> None:
    """A generation of ours is complete."""
    record.gathered.setdefault(ufrag, Gathered()).is_complete = True
    _add_local(record, ufrag, None)


def remote_sections(record: Record, mid: str | None, index: int | None, ufrag: str | None) -> list[int]:
    """Which sections a candidate of the peer belongs to; all, if neither mid nor index say.

    Raises OperationError for a section or a generation that no description has (W3C WebRTC 4.4.2, addIceCandidate).
    """
    remote = record.remote
    assert remote is not None
    media = remote.sections
    if mid is not None:
        found = [place for place, section in enumerate(media) if section.mid == mid]
        if not found:
            raise OperationError(f"the remote description has no media section with the mid {mid!r}")
    elif index is not None:
        if index >= len(media):
            raise OperationError(f"the remote description has {len(media)} media sections, and none at {index}")
        found = [index]
    else:
        found = list(range(len(media)))
    # A section that was refused since has no generations any more: what comes late for it is for nobody, and no error.
    is_gone = bool(found) and all(media[place].is_rejected for place in found)
    if ufrag is not None and not is_gone and not any(ufrag in ufrags_of(record, place) for place in found):
        raise OperationError(f"no remote description has the user fragment {ufrag!r} there")
    return found


def ufrags_of(record: Record, index: int) -> set[str]:
    """The user fragments that remote descriptions name for a section, or for the transport it shares."""
    found: set[str] = set()
    for applied in (record.pending_remote, record.current_remote):
        section = applied.section(index) if applied is not None else None
        if applied is not None and section is not None:
            ice = applied.ice_of(section)
            if ice is not None:
                found.add(ice[0])
    plan = record.layout.of(index)
    if plan is not None and plan.remote is not None:
        found.add(plan.remote.ufrag)
    return found


def add_remote(record: Record, indices: Sequence[int], ufrag: str | None, candidate: Candidate | None) -> None:
    """A candidate of the peer; None says that there are no more. It goes where its generation is."""
    for applied in (record.pending_remote, record.current_remote):
        if applied is None:
            continue
        for index in indices:
            section = applied.section(index)
            if section is None or section.is_rejected or not _is_of(record, applied, section, index, ufrag):
                continue
            applied.add(index, candidate)


def _is_of(record: Record, applied: Applied, section: MediaSection, index: int, ufrag: str | None) -> bool:
    """Whether the description speaks of that generation; of the newest, if none is named."""
    ice = applied.ice_of(section)
    if ufrag is None:
        return applied is record.remote
    if ice is None:
        return ufrag in ufrags_of(record, index)
    return ice[0] == ufrag


def _add_local(record: Record, ufrag: str, candidate: Candidate | None) -> None:
    for applied in (record.pending_local, record.current_local):
        if applied is None:
            continue
        for plan in record.layout.transports.values():
            section = applied.section(plan.index)
            if section is not None and section.ice_ufrag == ufrag and not section.is_rejected:
                applied.add(plan.index, candidate)
