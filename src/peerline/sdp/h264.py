"""H.264's profile-level-id: read it, compare it, choose the one of an answer (RFC 6184, sections 8.1 and 8.2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from peerline.sdp.errors import SdpError
from peerline.sdp.fmtp import Fmtp
from peerline.sdp.once import once
from peerline.sdp.scan import shown

__all__ = ["DEFAULT_PROFILE_LEVEL_ID", "H264Profile", "ProfileLevelId", "answered_profile_level_id"]

_RFC = "RFC 6184, section 8.1"
# Baseline, level 1: what holds where nothing is said.
DEFAULT_PROFILE_LEVEL_ID = "42000a"


class H264Profile(StrEnum):
    """The profiles that have a name; two that are equal can decode each other's streams."""

    CONSTRAINED_BASELINE = "Constrained Baseline"
    BASELINE = "Baseline"
    MAIN = "Main"
    EXTENDED = "Extended"
    CONSTRAINED_HIGH = "Constrained High"
    HIGH = "High"
    HIGH_10 = "High 10"
    HIGH_422 = "High 4:2:2"
    HIGH_444 = "High 4:4:4 Predictive"


# profile_idc, the constraint bits (x: either), the profile: RFC 6184, table 5. The first row that fits counts.
_PROFILES = (
    (0x42, "x1xx0000", H264Profile.CONSTRAINED_BASELINE),
    (0x4D, "1xxx0000", H264Profile.CONSTRAINED_BASELINE),
    (0x58, "11xx0000", H264Profile.CONSTRAINED_BASELINE),
    (0x42, "x0xx0000", H264Profile.BASELINE),
    (0x58, "10xx0000", H264Profile.BASELINE),
    (0x4D, "0x0x0000", H264Profile.MAIN),
    (0x58, "00xx0000", H264Profile.EXTENDED),
    (0x64, "00000000", H264Profile.HIGH),
    (0x64, "00001100", H264Profile.CONSTRAINED_HIGH),
    (0x6E, "00000000", H264Profile.HIGH_10),
    (0x7A, "00000000", H264Profile.HIGH_422),
    (0xF4, "00000000", H264Profile.HIGH_444),
)
_LEVELS = frozenset((9, 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62))
_1B = 9


@dataclass(frozen=True)
class ProfileLevelId:
    """Six hex digits: profile, constraints, level."""

    profile_idc: int
    constraints: int
    level_idc: int

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> ProfileLevelId:
        """Raises SdpError."""
        if re.fullmatch(r"[0-9A-Fa-f]{6}", text) is None:
            raise SdpError(
                f"profile-level-id is {shown(text)}, not six hex digits", rfc=_RFC, hint="For example 42e01f"
            )
        return cls(int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16))

    @once
    def profile(self) -> H264Profile | None:
        """The profile's name, or None for one that has none here."""
        bits = f"{self.constraints:08b}"
        for idc, pattern, profile in _PROFILES:
            if idc == self.profile_idc and all(p in ("x", bit) for p, bit in zip(pattern, bits, strict=True)):
                return profile
        return None

    @property
    def level(self) -> str | None:
        """ "3.1", "1b" …, or None for one that does not exist."""
        if self._level == _1B:
            return "1b"
        return f"{self._level // 10}.{self._level % 10}".removesuffix(".0") if self._level in _LEVELS else None

    @property
    def _level(self) -> int:
        # 1b is told from 1.1 by a bit in the profiles that have that bit, and is 9 in the others.
        is_1b = self.level_idc == 11 and self.constraints & 0x10 and self.profile_idc in (0x42, 0x4D, 0x58)
        return _1B if is_1b else self.level_idc

    def is_same_profile(self, other: ProfileLevelId) -> bool:
        """Whether a decoder of one is a decoder of the other, levels aside."""
        return self.profile is not None and self.profile == other.profile

    def __str__(self) -> str:
        return f"{self.profile_idc:02x}{self.constraints:02x}{self.level_idc:02x}"


def answered_profile_level_id(own: Fmtp, offered: Fmtp) -> str:
    """What an answer says: the offered profile, at the lower level unless both allow asymmetry. Raises SdpError."""
    ours = ProfileLevelId.parse(own.get("profile-level-id") or DEFAULT_PROFILE_LEVEL_ID)
    theirs = ProfileLevelId.parse(offered.get("profile-level-id") or DEFAULT_PROFILE_LEVEL_ID)
    if not ours.is_same_profile(theirs):
        raise SdpError(f"{ours} and {theirs} are different profiles", rfc="RFC 6184, section 8.2.2")
    if own.get("level-asymmetry-allowed") == offered.get("level-asymmetry-allowed") == "1":
        return str(ours)
    return str(min(ours, theirs, key=_order))


def _order(id_: ProfileLevelId) -> float:
    # 1 < 1b < 1.1
    return 10.5 if id_._level == _1B else id_._level
