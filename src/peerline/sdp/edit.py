"""Pure edits of a whole description: limits, codecs, direction, candidates. Each returns a new one (RFC 9429)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence

from peerline.sdp.bandwidth import Bandwidth, BandwidthType
from peerline.sdp.candidate import Candidate
from peerline.sdp.description import Description
from peerline.sdp.line import Line
from peerline.sdp.media import MediaSection
from peerline.sdp.section import Direction
from peerline.sdp.transport_attributes import DIRECTIONS

__all__ = [
    "prefer_codecs", "remove_codec", "set_bandwidth", "set_direction", "set_session_bandwidth", "strip_candidates",
]  # fmt: skip


def set_bandwidth(
    description: Description, kind: str, limit_bps: int | None, *, type: BandwidthType = "AS"
) -> Description:
    """Ask the other side to send at most that much of each medium of a kind; None takes all limits off."""

    def limited(media: MediaSection) -> MediaSection:
        return media.without_bandwidth() if limit_bps is None else media.with_bandwidth(Bandwidth.of(type, limit_bps))

    return _each(description, kind, limited)


def set_session_bandwidth(
    description: Description, limit_bps: int | None, *, type: BandwidthType = "CT"
) -> Description:
    """The same for the session as a whole."""
    session = description.session
    session = (
        session.without_bandwidth() if limit_bps is None else session.with_bandwidth(Bandwidth.of(type, limit_bps))
    )
    return dataclasses.replace(description, session=session)


def prefer_codecs(description: Description, kind: str, names: Sequence[str]) -> Description:
    """Put codecs first, in the order of `names` (`VP9`, `opus`, or a payload type). Each takes the repair codec that
    belongs to it along; all others follow as they were."""

    def preferred(media: MediaSection) -> MediaSection:
        by_type = {codec.payload_type: codec for codec in media.codecs}
        wanted = [name.lower() for name in names]

        def rank(format_: str) -> int:
            codec = by_type.get(int(format_))
            if codec is not None and codec.repairs in by_type:
                codec = by_type[codec.repairs]
            if codec is None:
                return len(wanted)
            ranks = [wanted.index(name) for name in (codec.key, str(codec.payload_type)) if name in wanted]
            return min(ranks, default=len(wanted))

        return media.with_m_line(formats=tuple(sorted(media.formats, key=rank))) if media.is_rtp else media

    return _each(description, kind, preferred)


def remove_codec(description: Description, kind: str, name: str) -> Description:
    """Take a codec out with all its lines, and the repair codec that belongs to it. A section that would have no
    codec left stays as it is: it would not be SDP any more."""

    def removed(media: MediaSection) -> MediaSection:
        gone = {codec.payload_type for codec in media.codecs if name.lower() in (codec.key, str(codec.payload_type))}
        gone |= {codec.payload_type for codec in media.codecs if codec.repairs in gone}
        left = tuple(format_ for format_ in media.formats if not (media.is_rtp and int(format_) in gone))
        if not gone or not left:
            return media
        return media.with_m_line(formats=left).without(lambda line: _is_of(line, gone))

    return _each(description, kind, removed)


def set_direction(description: Description, kind: str | None, direction: Direction) -> Description:
    """Say the direction of each medium of a kind, or of all media (data channels have none)."""

    def directed(media: MediaSection) -> MediaSection:
        if not media.is_rtp:
            return media
        said = [index for index, line in enumerate(media.lines) if line.name in DIRECTIONS]
        place = said[0] if said else len(media.lines)
        lines = [line for line in media.lines if line.name not in DIRECTIONS]
        made = Line.attribute(direction, end=media.line_end)
        return media.with_lines([*lines[:place], made, *lines[place:]])

    return _each(description, kind, directed)


def strip_candidates(description: Description, is_kept: Callable[[Candidate], bool] = lambda _: False) -> Description:
    """Take candidates out, all or those that are not kept. Where all go, so does `a=end-of-candidates`, which would
    promise that none are to come."""

    def stripped(media: MediaSection) -> MediaSection:
        bare = media.without(lambda line: line.name == "candidate" and not is_kept(line.parsed))
        return bare if bare.candidates else bare.without(lambda line: line.name == "end-of-candidates")

    return _each(description, None, stripped)


def _each(description: Description, kind: str | None, edit: Callable[[MediaSection], MediaSection]) -> Description:
    media = tuple(edit(one) if kind in (None, one.kind) else one for one in description.media)
    return dataclasses.replace(description, media=media)


def _is_of(line: Line, payload_types: Collection[int]) -> bool:
    """Whether an attribute speaks of one of the payload types."""
    if line.name == "fmtp":
        return line.parsed[0] in {str(one) for one in payload_types}
    return line.name in ("rtpmap", "rtcp-fb") and line.parsed.payload_type in payload_types
