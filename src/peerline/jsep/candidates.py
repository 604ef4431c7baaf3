"""Candidates in descriptions: found here, or told by the peer, and the ends of both (RFC 8840, section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

from peerline.errors import OperationError
from peerline.jsep.record import Applied, Gathered, Record
from peerline.jsep.transport import Layout
from peerline.sdp import Candidate, Description, Line, MediaSection

__all__ = ["add_local", "add_remote", "end_local", "remote_sections", "with_gathered"]

# Which kind of address is the likeliest to work for who knows no ICE (RFC 8839, section 4.2.1.2).
_RANK = {"relay": 3, "srflx": 2, "prflx": 1, "host": 0}


def with_gathered(record: Record, description: Description, layout: Layout) -> Description:
    """With the candidates that are known already, each where its transport is spoken for."""
    for plan in layout.transports.values():
        gathered = record.gathered.get(plan.local.ufrag)
        if gathered is not None and plan.index < len(description.media):
            media = _with(description.media[plan.index], gathered.lines, is_complete=gathered.is_complete)
            description = description.replace(plan.index, media)
    return description


def add_local(record: Record, ufrag: str, candidate: Candidate) -> None:
    """A candidate of ours was found."""
    record.gathered.setdefault(ufrag, Gathered()).lines.append(candidate)
    _update_local(record, ufrag)


def end_local(record: Record, ufrag: str) -> None:
    """A generation of ours is complete."""
    record.gathered.setdefault(ufrag, Gathered()).is_complete = True
    _update_local(record, ufrag)


def remote_sections(record: Record, mid: str | None, index: int | None, ufrag: str | None) -> list[int]:
    """Which sections a candidate of the peer belongs to; all, if neither mid nor index say.

    Raises OperationError for a section or a generation that no description has (W3C WebRTC 4.4.2, addIceCandidate).
    """
    remote = record.remote
    assert remote is not None
    media = remote.description.media
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
    if ufrag is not None and not any(ufrag in ufrags_of(record, place) for place in found):
        raise OperationError(f"no remote description has the user fragment {ufrag!r} there")
    return found


def ufrags_of(record: Record, index: int) -> set[str]:
    """The user fragments that remote descriptions name for a section, or for the transport it shares."""
    found: set[str] = set()
    for applied in (record.pending_remote, record.current_remote):
        section = applied.section(index) if applied is not None else None
        if applied is not None and section is not None:
            ice = applied.description.ice_of(section)
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
            lines = () if candidate is None else (candidate,)
            added = _with(section, lines, is_complete=candidate is None, has_default=False)
            applied.description = applied.description.replace(index, added)


def _is_of(record: Record, applied: Applied, section: MediaSection, index: int, ufrag: str | None) -> bool:
    """Whether the description speaks of that generation; of the newest, if none is named."""
    ice = applied.description.ice_of(section)
    if ufrag is None:
        return applied is record.remote
    if ice is None:
        return ufrag in ufrags_of(record, index)
    return ice[0] == ufrag


def _update_local(record: Record, ufrag: str) -> None:
    gathered = record.gathered[ufrag]
    for applied in (record.pending_local, record.current_local):
        if applied is None:
            continue
        for plan in record.layout.transports.values():
            section = applied.section(plan.index)
            if section is not None and section.ice_ufrag == ufrag and not section.is_rejected:
                media = _with(section, gathered.lines, is_complete=gathered.is_complete)
                applied.description = applied.description.replace(plan.index, media)


def _with(
    media: MediaSection, candidates: Sequence[Candidate], *, is_complete: bool, has_default: bool = True
) -> MediaSection:
    """With those candidates that are not there yet. The m= and c= lines name the likeliest one."""
    known = {line.value for line in media.attributes("candidate")}
    made = [Line("a", str(one)) for one in candidates if str(one) not in known]
    if is_complete and not media.has("end-of-candidates"):
        made.append(Line("a", "end-of-candidates"))
    if not made:
        return media
    lines = [*media.lines, *(line.with_end(media.line_end) for line in made)]
    if has_default and candidates:
        default = max(candidates, key=lambda one: (_RANK.get(one.type, 0), one.protocol == "udp", one.ip_version == 4))
        if default.ip_version is not None and not media.is_bundle_only:
            kind = f"IN IP{default.ip_version} {default.address}"
            lines = [Line("c", kind, line.end) if line.type == "c" else line for line in lines]
            return media.with_lines(lines).with_m_line(port=default.port)
    return media.with_lines(lines)
