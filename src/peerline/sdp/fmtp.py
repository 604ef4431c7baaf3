"""Format parameters (`a=fmtp`), and what those of Opus, VP9, AV1 and H.264 mean (RFC 7587, 9628, 6184; AV1 RTP 1.0)."""

from __future__ import annotations

from dataclasses import dataclass

from peerline.sdp.errors import SdpError
from peerline.sdp.once import once
from peerline.sdp.scan import shown

__all__ = ["Fmtp", "OpusParameters", "vp9_profile"]


@dataclass(frozen=True)
class Fmtp:
    """The parameters of a format, as they were written: `minptime=10;useinbandfec=1`, `0-15`, `111/111`."""

    text: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """Names, in small letters, and values; what has no `=` has an empty value. The first of a name counts."""
        return dict(self._parsed)

    @once
    def _parsed(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in self.text.split(";"):
            name, _, value = part.strip().partition("=")
            if name:
                found.setdefault(name.strip().lower(), value.strip())
        return found

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of one parameter."""
        return self._parsed.get(name.lower(), default)

    def number(self, name: str, default: int, most: int, rfc: str) -> int:
        """The value of one parameter as a number from 0 to `most`. Raises SdpError."""
        value = self.get(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) <= most):
            raise SdpError(
                f"{name} is {shown(value)}, not a number up to {most}", rfc=rfc, hint=f"For example {name}={default}"
            )
        return int(value)

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True)
class OpusParameters:
    """What the receiver of Opus asks for (RFC 7587, section 6.1)."""

    max_playback_rate_hz: int = 48000
    sprop_max_capture_rate_hz: int = 48000
    min_ptime_ms: int = 3
    max_average_bitrate_bps: int | None = None
    is_stereo: bool = False
    sends_stereo: bool = False
    is_cbr: bool = False
    uses_inband_fec: bool = False
    uses_dtx: bool = False

    @classmethod
    def parse(cls, fmtp: Fmtp) -> OpusParameters:
        """Raises SdpError."""
        rfc = "RFC 7587, section 6.1"
        bitrate = fmtp.number("maxaveragebitrate", 0, 510_000 * 10, rfc)
        return cls(
            max_playback_rate_hz=fmtp.number("maxplaybackrate", 48000, 48000, rfc),
            sprop_max_capture_rate_hz=fmtp.number("sprop-maxcapturerate", 48000, 48000, rfc),
            min_ptime_ms=fmtp.number("minptime", 3, 120, rfc),
            max_average_bitrate_bps=bitrate or None,
            is_stereo=fmtp.number("stereo", 0, 1, rfc) == 1,
            sends_stereo=fmtp.number("sprop-stereo", 0, 1, rfc) == 1,
            is_cbr=fmtp.number("cbr", 0, 1, rfc) == 1,
            uses_inband_fec=fmtp.number("useinbandfec", 0, 1, rfc) == 1,
            uses_dtx=fmtp.number("usedtx", 0, 1, rfc) == 1,
        )


def vp9_profile(fmtp: Fmtp) -> int:
    """`profile-id`, 0 to 3; 0 where it is not said (RFC 9628, section 6). Raises SdpError."""
    return fmtp.number("profile-id", 0, 3, "RFC 9628, section 6")
