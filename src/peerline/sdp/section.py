"""Lines that belong together, and what stands both before the first `m=` and after each (RFC 8866)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, cast

from peerline.sdp.bandwidth import Bandwidth
from peerline.sdp.line import Line
from peerline.sdp.once import once
from peerline.sdp.rtp_attributes import HeaderExtension
from peerline.sdp.transport_attributes import DIRECTIONS, Connection, Fingerprint

__all__ = ["Direction", "Section", "Setup"]

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["active", "passive", "actpass", "holdconn"]
# What may stand before a `b=` line: its own section's m=, i= and c=, or the session's lines up to c=.
_BEFORE_BANDWIDTH = re.compile("[mivosuepc]")


@dataclass(frozen=True)
class Section:
    """The session's lines or those of one medium, in their order. Views read them; edits return another section."""

    lines: tuple[Line, ...]

    # Lines and attributes ------------------------------------------------------------------------------------

    @once
    def _by_name(self) -> dict[str | None, list[Line]]:
        found: dict[str | None, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.name, []).append(line)
        return found

    def attributes(self, name: str) -> Sequence[Line]:
        """All `a=name` lines."""
        return self._by_name.get(name, ())

    def has(self, name: str) -> bool:
        """Whether there is an `a=name` line."""
        return name in self._by_name

    def get(self, name: str) -> str | None:
        """The content of the first `a=name` line: "" for a flag, None where there is none."""
        lines = self._by_name.get(name)
        return None if lines is None else lines[0].content or ""

    def parsed(self, name: str) -> list[Any]:
        """The objects of all `a=name` lines."""
        return [line.parsed for line in self.attributes(name)]

    def first(self, name: str) -> Any:
        """The object of the first `a=name` line, or None."""
        lines = self._by_name.get(name)
        return None if lines is None else lines[0].parsed

    # What both levels have ------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection | None:
        """The `c=` line."""
        return cast("Connection | None", next((line.parsed for line in self.lines if line.type == "c"), None))

    @property
    def bandwidths(self) -> tuple[Bandwidth, ...]:
        """The `b=` lines."""
        return tuple(line.parsed for line in self.lines if line.type == "b")

    @once
    def direction(self) -> Direction | None:
        """The direction that is said here; None where it is not. The last one counts."""
        said = [line.name for line in self.lines if line.name in DIRECTIONS]
        return cast("Direction", said[-1]) if said else None

    @property
    def ice_ufrag(self) -> str | None:
        """ICE's user fragment."""
        return cast("str | None", self.first("ice-ufrag"))

    @property
    def ice_pwd(self) -> str | None:
        """ICE's password."""
        return cast("str | None", self.first("ice-pwd"))

    @property
    def ice_options(self) -> tuple[str, ...]:
        """For example `trickle`, `ice2`, `renomination`."""
        return tuple(option for options in self.parsed("ice-options") for option in options)

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """Hashes of the certificates."""
        return tuple(self.parsed("fingerprint"))

    @property
    def setup(self) -> Setup | None:
        """Who begins the DTLS handshake."""
        return cast("Setup | None", self.first("setup"))

    @property
    def header_extensions(self) -> tuple[HeaderExtension, ...]:
        """`a=extmap`."""
        return tuple(self.parsed("extmap"))

    @property
    def allows_mixed_extensions(self) -> bool:
        """`a=extmap-allow-mixed` (RFC 8285, section 6)."""
        return self.has("extmap-allow-mixed")

    # Edits ----------------------------------------------------------------------------------------------------

    @property
    def line_end(self) -> str:
        """How this section ends its lines."""
        return next((line.end for line in self.lines if line.end), "\r\n")

    def with_lines(self, lines: Iterable[Line]) -> Self:
        """The same section with other lines."""
        made = tuple(lines)
        end = self.line_end
        # The last line of a text may have no ending. It needs one as soon as another follows.
        return replace(self, lines=(*(line if line.end else line.with_end(end) for line in made[:-1]), *made[-1:]))

    def without(self, is_unwanted: Callable[[Line], bool]) -> Self:
        """Without some lines."""
        return self.with_lines(line for line in self.lines if not is_unwanted(line))

    def with_attribute(self, name: str, content: object = None) -> Self:
        """With one attribute: in the place of the first of its name, or at the end. Others of its name go."""
        made = Line.attribute(name, content, end=self.line_end)
        kept: list[Line] = []
        place: int | None = None
        for line in self.lines:
            if line.name != name:
                kept.append(line)
            elif place is None:
                place = len(kept)
        kept.insert(len(kept) if place is None else place, made)
        return self.with_lines(kept)

    def with_bandwidth(self, bandwidth: Bandwidth) -> Self:
        """With this limit in place of any other. It goes after m=, past i= and c=."""
        bare = self.without_bandwidth()
        place = 0
        while place < len(bare.lines) and _BEFORE_BANDWIDTH.fullmatch(bare.lines[place].type):
            place += 1
        made = Line("b", str(bandwidth), self.line_end)
        return bare.with_lines([*bare.lines[:place], made, *bare.lines[place:]])

    def without_bandwidth(self) -> Self:
        """Without limits. Other `b=` lines, such as the share of RTCP (RFC 3556), stay."""
        return self.without(lambda line: line.type == "b" and line.parsed.is_limit)

    def __str__(self) -> str:
        return "".join([f"{line.type}={line.value}{line.end}" for line in self.lines])
