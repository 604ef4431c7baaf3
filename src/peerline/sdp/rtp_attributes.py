"""Header extensions, streams and sources of RTP: extmap, ssrc, ssrc-group, msid (RFC 8285, 5576, 8830)."""

from __future__ import annotations

from dataclasses import dataclass

from peerline.sdp.scan import Words, number, shown
from peerline.sdp.transport_attributes import DIRECTIONS

__all__ = ["HeaderExtension", "MediaStreamId", "Source", "SourceGroup"]

_SSRC = 2**32 - 1


@dataclass(frozen=True)
class HeaderExtension:
    """A number for a header extension, which packets then carry in place of its URI."""

    id: int
    uri: str
    direction: str | None = None
    parameters: str = ""

    @classmethod
    def parse(cls, value: str) -> HeaderExtension:
        """Read what follows `a=extmap:`. Raises SdpError."""
        words = Words(value, "RFC 8285, section 5", "a=extmap:ID[/DIRECTION] URI [PARAMETERS]")
        which, slash, direction = words.next("the id").partition("/")
        # 4096 to 4351 are for offers with more extensions than ids.
        id_ = number(which, "the id", 4351, least=1, rfc=words.rfc, form=words.form, offset=words.offset)
        if slash and direction not in DIRECTIONS:
            raise words.error(f"the direction is {shown(direction)}")
        return cls(id_, words.next("the URI"), direction or None, " ".join(words.rest()))

    def __str__(self) -> str:
        direction = "" if self.direction is None else f"/{self.direction}"
        return f"{self.id}{direction} {self.uri}" + (f" {self.parameters}" if self.parameters else "")


@dataclass(frozen=True)
class MediaStreamId:
    """The MediaStream a track belongs to (`-` for none), and, in older descriptions, the track."""

    stream: str
    track: str | None = None

    @classmethod
    def parse(cls, value: str) -> MediaStreamId:
        """Read what follows `a=msid:`. Raises SdpError."""
        words = Words(value, "RFC 8830, section 2", "a=msid:STREAM [TRACK]")
        found = cls(words.next("the stream"), words.next_or_none())
        words.end()
        return found

    def __str__(self) -> str:
        return self.stream if self.track is None else f"{self.stream} {self.track}"


@dataclass(frozen=True)
class Source:
    """One thing said about one stream of RTP packets (its SSRC): `cname`, `msid` …"""

    ssrc: int
    attribute: str
    value: str | None = None

    @classmethod
    def parse(cls, value: str) -> Source:
        """Read what follows `a=ssrc:`. Raises SdpError."""
        words = Words(value, "RFC 5576, section 4.1", "a=ssrc:SSRC ATTRIBUTE[:VALUE]")
        ssrc = words.number("the SSRC", _SSRC)
        words.next("the attribute")
        attribute, colon, content = value[words.offset :].partition(":")
        return cls(ssrc, attribute, content if colon else None)

    def __str__(self) -> str:
        return f"{self.ssrc} {self.attribute}" + ("" if self.value is None else f":{self.value}")


@dataclass(frozen=True)
class SourceGroup:
    """Sources that belong together: `FID` (a stream and its retransmissions), `SIM`, `FEC-FR`."""

    semantics: str
    ssrcs: tuple[int, ...]

    @classmethod
    def parse(cls, value: str) -> SourceGroup:
        """Read what follows `a=ssrc-group:`. Raises SdpError."""
        words = Words(value, "RFC 5576, section 4.2", "a=ssrc-group:SEMANTICS SSRC…")
        semantics = words.next("the semantics")
        ssrcs = []
        while (word := words.next_or_none()) is not None:
            ssrcs.append(number(word, "the SSRC", _SSRC, rfc=words.rfc, form=words.form, offset=words.offset))
        return cls(semantics, tuple(ssrcs))

    def __str__(self) -> str:
        return " ".join([self.semantics, *map(str, self.ssrcs)])
