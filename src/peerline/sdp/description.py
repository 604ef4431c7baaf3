"""A whole description: the session's lines and its media sections (RFC 8866, section 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from peerline.sdp.media import MediaSection
from peerline.sdp.section import Direction, Section, Setup
from peerline.sdp.session_lines import Group, MsidSemantic, Origin
from peerline.sdp.transport_attributes import Fingerprint

__all__ = ["Description", "SessionSection"]


@dataclass(frozen=True)
class SessionSection(Section):
    """What stands before the first `m=`."""

    @property
    def origin(self) -> Origin:
        """`o=`."""
        return cast("Origin", next(line.parsed for line in self.lines if line.type == "o"))

    @property
    def name(self) -> str:
        """`s=`; browsers write `-`."""
        return next(line.value for line in self.lines if line.type == "s")

    @property
    def groups(self) -> tuple[Group, ...]:
        """`a=group`."""
        return tuple(self.parsed("group"))

    @property
    def msid_semantic(self) -> MsidSemantic | None:
        """`a=msid-semantic`."""
        return cast("MsidSemantic | None", self.first("msid-semantic"))

    @property
    def is_ice_lite(self) -> bool:
        """It answers ICE's checks and makes none (RFC 8445, section 2.5)."""
        return self.has("ice-lite")

    @property
    def identity(self) -> str | None:
        """An assertion of who it is (RFC 8827, section 5)."""
        return self.get("identity")


@dataclass(frozen=True)
class Description:
    """Immutable; `str()` gives the text back, byte for byte what was parsed. `tail` is what followed the last line."""

    session: SessionSection
    media: tuple[MediaSection, ...] = ()
    tail: str = ""

    def __str__(self) -> str:
        return "".join(map(str, (self.session, *self.media))) + self.tail

    @property
    def bundle(self) -> tuple[str, ...]:
        """The mids of the first BUNDLE group; empty where there is none."""
        return next((group.mids for group in self.session.groups if group.semantics == "BUNDLE"), ())

    def section(self, mid: str) -> MediaSection | None:
        """The media section of that name."""
        return next((media for media in self.media if media.mid == mid), None)

    def replace(self, index: int, media: MediaSection) -> Description:
        """With another media section at that place."""
        return replace(self, media=(*self.media[:index], media, *self.media[index + 1 :]))

    # What a media section leaves unsaid, the session says for it ------------------------------------------------

    def direction_of(self, media: MediaSection) -> Direction:
        """Where it is said nowhere, `sendrecv` (RFC 8866, section 6.7)."""
        return media.direction or self.session.direction or "sendrecv"

    def fingerprints_of(self, media: MediaSection) -> tuple[Fingerprint, ...]:
        """Those of the section, else those of the session."""
        return media.fingerprints or self.session.fingerprints

    def setup_of(self, media: MediaSection) -> Setup | None:
        """The section's, else the session's."""
        return media.setup or self.session.setup

    def ice_of(self, media: MediaSection) -> tuple[str, str] | None:
        """User fragment and password, of the section or else of the session; None where one of them is missing."""
        ufrag = media.ice_ufrag or self.session.ice_ufrag
        password = media.ice_pwd or self.session.ice_pwd
        return None if ufrag is None or password is None else (ufrag, password)

    def ice_options_of(self, media: MediaSection) -> tuple[str, ...]:
        """The section's, else the session's."""
        return media.ice_options or self.session.ice_options
