"""What is wrong with a description: which line, where in it, by which RFC, and what would be right."""

from __future__ import annotations

from peerline.errors import RemoteProtocolError

__all__ = ["SdpError"]


class SdpError(RemoteProtocolError):
    """Not SDP, or SDP with an attribute that cannot be read.

    `line` counts from 1 and is None where a value was read that stands in no description (a candidate that came
    alone); `offset` counts characters from the beginning of that line, or of that value; `rfc` names the section.
    """

    code = "sdp"

    def __init__(
        self, reason: str, *, rfc: str, hint: str | None = None, offset: int = 0, line: int | None = None
    ) -> None:
        place = "" if line is None else f"line {line}: "
        super().__init__(f"{place}{reason} ({rfc})", hint=hint)
        self.reason = reason
        self.rfc = rfc
        self.offset = offset
        self.line = line

    def at(self, line: int | None, offset: int) -> SdpError:
        """The same fault, `offset` characters into line `line`."""
        return SdpError(self.reason, rfc=self.rfc, hint=self.hint, offset=self.offset + offset, line=line)
