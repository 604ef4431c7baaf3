"""`b=`: how much the other side may send (RFC 8866, section 5.8; TIAS: RFC 3890, section 6.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from peerline.sdp.errors import SdpError
from peerline.sdp.scan import number, shown

__all__ = ["Bandwidth", "BandwidthType"]

# AS: all of a medium with its headers, kbit/s. TIAS: without headers, bit/s. CT: of a whole session, kbit/s.
BandwidthType = Literal["AS", "TIAS", "CT"]
_FORM = "b=TYPE:NUMBER, for example b=AS:500"
_RFC = "RFC 8866, section 5.8"


@dataclass(frozen=True)
class Bandwidth:
    """A `b=` line: its type and its number, in the unit of the type."""

    type: str
    value: int

    @classmethod
    def parse(cls, value: str) -> Bandwidth:
        """Read what follows `b=`. Raises SdpError."""
        kind, colon, amount = value.partition(":")
        if not colon or not kind or " " in kind:
            raise SdpError(f"{shown(value)} is not TYPE:NUMBER", rfc=_RFC, hint=f"The form is {_FORM}")
        return cls(kind, number(amount.strip(" "), "the bandwidth", 2**53, rfc=_RFC, form=_FORM, offset=len(kind) + 1))

    @classmethod
    def of(cls, type: BandwidthType, limit_bps: int) -> Bandwidth:
        """The line that asks for at most `limit_bps`."""
        return cls(type, limit_bps if type == "TIAS" else max(1, limit_bps // 1000) if limit_bps else 0)

    @property
    def is_limit(self) -> bool:
        """Whether it limits media, and not the share of RTCP or something unknown."""
        return self.type in get_args(BandwidthType)

    @property
    def bps(self) -> int:
        """In bit/s, whatever the type's unit is."""
        return self.value if self.type == "TIAS" else self.value * 1000

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"
