"""Lines of the whole session: origin, groups, msid-semantic (RFC 8866, section 5.2; RFC 5888; RFC 8830)."""

from __future__ import annotations

from dataclasses import dataclass

from peerline.sdp.scan import Words

__all__ = ["Group", "MsidSemantic", "Origin"]


@dataclass(frozen=True)
class Origin:
    """Who made the session. The version rises with every new description of the same session."""

    username: str
    session_id: str
    session_version: int
    network_type: str
    address_type: str
    address: str

    @classmethod
    def parse(cls, value: str) -> Origin:
        """Read what follows `o=`. Raises SdpError."""
        words = Words(value, "RFC 8866, section 5.2", "o=USER SESSION-ID VERSION IN IP4 ADDRESS")
        username, session_id = words.next("the user"), words.next("the session id")
        if not (session_id.isascii() and session_id.isdigit()):
            raise words.error("the session id is not a number")
        version = words.number("the version", 2**64 - 1)
        found = cls(
            username, session_id, version,
            words.next("the network"), words.next("the kind of address"), words.next("the address"),
        )  # fmt: skip
        words.end()
        return found

    def __str__(self) -> str:
        return (
            f"{self.username} {self.session_id} {self.session_version} "
            f"{self.network_type} {self.address_type} {self.address}"
        )


@dataclass(frozen=True)
class Group:
    """Media sections that belong together: `BUNDLE` (one transport, RFC 9143), `LS` (lip synchronisation)."""

    semantics: str
    mids: tuple[str, ...]

    @classmethod
    def parse(cls, value: str) -> Group:
        """Read what follows `a=group:`. Raises SdpError."""
        words = Words(value, "RFC 5888, section 5", "a=group:BUNDLE MID…")
        return cls(words.next("the semantics"), tuple(words.rest()))

    def __str__(self) -> str:
        return " ".join([self.semantics, *self.mids])


@dataclass(frozen=True)
class MsidSemantic:
    """Which kind of stream ids `a=msid` carries (`WMS`), and the streams; `*` stands for all."""

    semantic: str
    streams: tuple[str, ...]

    @classmethod
    def parse(cls, value: str) -> MsidSemantic:
        """Read what follows `a=msid-semantic:`. Raises SdpError."""
        words = Words(value, "draft-ietf-mmusic-msid-05, section 3", "a=msid-semantic:WMS [STREAM]…")
        return cls(words.next("the semantic"), tuple(words.rest()))

    def __str__(self) -> str:
        return " ".join([self.semantic, *self.streams])


def parse_times(value: str) -> tuple[int, int]:
    """Read what follows `t=`: when the session begins and ends; browsers write 0 0, for always. Raises SdpError."""
    words = Words(value, "RFC 8866, section 5.9", "t=BEGIN END, for example t=0 0")
    times = words.number("the beginning", 2**53), words.number("the end", 2**53)
    words.end()
    return times
