"""Codecs of a media section: `a=rtpmap`, `a=fmtp`, `a=rtcp-fb` (RFC 8866, sections 6.6, 6.15; RFC 4585, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from peerline.sdp.fmtp import Fmtp
from peerline.sdp.once import once
from peerline.sdp.scan import Words, number, shown

__all__ = ["STATIC_PAYLOAD_TYPES", "Codec", "Feedback", "RtpMap"]

_MAP_FORM = "a=rtpmap:PAYLOAD-TYPE NAME/CLOCK-RATE[/CHANNELS]"


@dataclass(frozen=True)
class RtpMap:
    """What a payload type means."""

    payload_type: int
    name: str
    clock_rate_hz: int
    channels: int | None = None

    @classmethod
    def parse(cls, value: str) -> RtpMap:
        """Read what follows `a=rtpmap:`. Raises SdpError."""
        rfc = "RFC 8866, section 6.6"
        words = Words(value, rfc, _MAP_FORM)
        payload_type = words.number("the payload type", 127)
        name, *numbers = words.next("the codec").split("/")
        if not name or not 1 <= len(numbers) <= 2:
            raise words.error("the codec is not NAME/CLOCK-RATE")
        offset = words.offset + len(name) + 1
        rate = number(numbers[0], "the clock rate", 2**32 - 1, least=1, rfc=rfc, form=_MAP_FORM, offset=offset)
        channels = None
        if len(numbers) == 2:
            offset += len(numbers[0]) + 1
            channels = number(numbers[1], "channels", 255, least=1, rfc=rfc, form=_MAP_FORM, offset=offset)
        words.end()
        return cls(payload_type, name, rate, channels)

    def __str__(self) -> str:
        channels = "" if self.channels is None else f"/{self.channels}"
        return f"{self.payload_type} {self.name}/{self.clock_rate_hz}{channels}"


@dataclass(frozen=True)
class Feedback:
    """What a receiver may report about a codec; `payload_type` None stands for all of them (`*`)."""

    payload_type: int | None
    kind: str
    parameter: str = ""

    @classmethod
    def parse(cls, value: str) -> Feedback:
        """Read what follows `a=rtcp-fb:`. Raises SdpError."""
        words = Words(value, "RFC 4585, section 4.2", "a=rtcp-fb:PAYLOAD-TYPE KIND [PARAMETER]")
        which = words.next("the payload type")
        payload_type = None
        if which != "*":
            payload_type = number(which, "the payload type", 127, rfc=words.rfc, form=words.form, offset=words.offset)
        return cls(payload_type, words.next("the kind of feedback"), " ".join(words.rest()))

    def __str__(self) -> str:
        which = "*" if self.payload_type is None else self.payload_type
        return f"{which} {self.kind}" + (f" {self.parameter}" if self.parameter else "")


@dataclass(frozen=True)
class Codec:
    """A payload type of a media section with all that was said about it."""

    payload_type: int
    name: str
    clock_rate_hz: int
    channels: int = 1
    fmtp: Fmtp = field(default_factory=Fmtp)
    feedback: tuple[Feedback, ...] = ()

    @once
    def key(self) -> str:
        """The name in small letters: names of codecs have no case."""
        return self.name.lower()

    @once
    def repairs(self) -> int | None:
        """For RTX (RFC 4588, section 8): the payload type whose packets it sends again (`apt`)."""
        value = self.fmtp.get("apt") or ""
        return int(value) if self.key == "rtx" and value.isascii() and value.isdigit() and len(value) <= 3 else None

    def __str__(self) -> str:
        return f"{self.name}/{self.clock_rate_hz}" + (f"/{self.channels}" if self.channels > 1 else "")


# The payload types that mean something without an rtpmap (RFC 3551, section 6); browsers write one anyway.
STATIC_PAYLOAD_TYPES = {
    pt: RtpMap(pt, name, rate)
    for pt, name, rate in (
        (0, "PCMU", 8000), (3, "GSM", 8000), (4, "G723", 8000), (5, "DVI4", 8000), (6, "DVI4", 16000),
        (7, "LPC", 8000), (8, "PCMA", 8000), (9, "G722", 8000), (12, "QCELP", 8000), (13, "CN", 8000),
        (14, "MPA", 90000), (15, "G728", 8000), (16, "DVI4", 11025), (17, "DVI4", 22050), (18, "G729", 8000),
        (25, "CelB", 90000), (26, "JPEG", 90000), (28, "nv", 90000), (31, "H261", 90000), (32, "MPV", 90000),
        (33, "MP2T", 90000), (34, "H263", 90000),
    )
} | {10: RtpMap(10, "L16", 44100, 2), 11: RtpMap(11, "L16", 44100)}  # fmt: skip


def parse_format_parameters(value: str) -> tuple[str, Fmtp]:
    """Read what follows `a=fmtp:`: the format and its parameters. Raises SdpError."""
    words = Words(value, "RFC 8866, section 6.15", "a=fmtp:FORMAT PARAMETERS")
    which = words.next("the format")
    if not which.isascii():
        raise words.error(f"the format is {shown(which)}")
    return which, Fmtp(value[words.offset + len(which) :].strip(" "))
