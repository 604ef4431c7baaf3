"""A description that was set, and the candidates that come to it afterwards (RFC 9429, 4.1.20; RFC 8840, 4.2)."""

from __future__ import annotations

from typing import Literal

from peerline.sdp import Candidate, Description, Line, MediaSection, parse

__all__ = ["Applied", "with_candidates"]

# Which kind of address is the likeliest to work for who knows no ICE (RFC 8839, section 4.2.1.2).
_RANK = {"relay": 3, "srflx": 2, "prflx": 1, "host": 0}


class Applied:
    """Candidates are put into their places when somebody looks: mostly nobody does before all are there. While nobody
    looks for long (`rest`), only the text is kept: what was read of it takes ten times its room."""

    __slots__ = ("_late", "_read", "_text", "data_mid", "is_local", "type")

    def __init__(
        self,
        type: Literal["offer", "pranswer", "answer"],
        description: Description,
        data_mid: str | None,
        *,
        is_local: bool,
        text: str | None = None,
    ) -> None:
        self.type = type
        self.data_mid = data_mid  # of the section of data channels, unless it is rejected
        self.is_local = is_local
        self._read: Description | None = description
        self._text = text
        self._late: list[tuple[int, Candidate | None]] = []

    @property
    def description(self) -> Description:
        """As it is now."""
        if self._late:
            self._put_late_ones()
        return self._description

    @property
    def text(self) -> str:
        """The same as text."""
        if self._late:
            self._put_late_ones()
        if self._text is None:
            self._text = str(self._description)
        return self._text

    @property
    def sections(self) -> tuple[MediaSection, ...]:
        """Its media sections; maybe without the latest candidates."""
        return self._description.media

    def section(self, index: int | None) -> MediaSection | None:
        """The media section at that place; maybe without the latest candidates."""
        media = self._description.media
        return media[index] if index is not None and index < len(media) else None

    def ice_of(self, media: MediaSection) -> tuple[str, str] | None:
        """User fragment and password of a section."""
        return self._description.ice_of(media)

    def add(self, index: int, candidate: Candidate | None) -> None:
        """A candidate of a section; None: that was all."""
        self._late.append((index, candidate))

    def rest(self) -> None:
        """Nobody is expected to look soon."""
        if self._read is not None:
            _ = self.text
            self._read = None

    @property
    def _description(self) -> Description:
        if self._read is None:
            assert self._text is not None
            self._read = parse(self._text)
        return self._read

    def _put_late_ones(self) -> None:
        late, self._late = self._late, []
        by_section: dict[int, list[Candidate | None]] = {}
        for index, candidate in late:
            by_section.setdefault(index, []).append(candidate)
        for index, candidates in by_section.items():
            media = with_candidates(self._description.media[index], candidates, has_default=self.is_local)
            self._read = self._description.replace(index, media)
        self._text = None


def with_candidates(media: MediaSection, found: list[Candidate | None], *, has_default: bool) -> MediaSection:
    """With those candidates that are not there yet; None stands for the end.

    With `has_default` the m= and c= lines name the likeliest one.
    """
    known = {line.value for line in media.attributes("candidate")}
    candidates = [one for one in found if one is not None]
    made = [Line("a", text) for one in candidates if (text := str(one)) not in known]
    if None in found and not media.has("end-of-candidates"):
        made.append(Line("a", "end-of-candidates"))
    if not made:
        return media
    end = media.line_end
    lines = [*media.lines, *(line if line.end == end else line.with_end(end) for line in made)]
    if has_default and candidates and not media.is_bundle_only:
        default = max([*media.candidates, *candidates], key=_likelihood)
        if default.ip_version is not None:
            kind = f"IN IP{default.ip_version} {default.address}"
            lines = [Line("c", kind, line.end) if line.type == "c" else line for line in lines]
            return media.with_lines(lines).with_m_line(port=default.port)
    return media.with_lines(lines)


def _likelihood(one: Candidate) -> tuple[int, bool, bool]:
    return _RANK.get(one.type, 0), one.protocol == "udp", one.ip_version == 4
