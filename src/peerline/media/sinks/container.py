"""The kinds of files that can be recorded, by suffix: what each takes as it comes, and what the rest is encoded as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from peerline.errors import NotSupportedError

__all__ = ["Container", "container_for"]

# A process that is killed leaves at most about a second unwritten.
_MATROSKA = {"cluster_time_limit": "1000"}
# Pieces that stand alone while it is recorded, joined into a plain file when it is finished.
_MP4 = {"movflags": "hybrid_fragmented+delay_moov", "frag_duration": "1000000", "use_editlist": "1"}


@dataclass(frozen=True, slots=True)
class Container:
    """One kind of file."""

    name: str
    """As FFmpeg calls it."""
    copied: frozenset[str]
    """Codecs whose frames are written untouched."""
    encoded: Mapping[str, str]
    """For each kind of track it can hold, the codec of what is encoded for it: "audio" or "video" → "opus" …"""
    options: Mapping[str, str] = field(default_factory=dict)
    """For FFmpeg's writer."""
    is_gapless: bool = False
    """Whether its time is but the sum of its frames, so that what is missing has to be filled up."""


_WEBM_CODECS = frozenset({"opus", "vp8", "vp9", "av1"})
_VP8 = {"audio": "opus", "video": "vp8"}
_H264 = {"audio": "opus", "video": "h264"}
_OGG = Container("ogg", frozenset({"opus"}), {"audio": "opus"}, is_gapless=True)

_BY_SUFFIX = {
    ".webm": Container("webm", _WEBM_CODECS, _VP8, _MATROSKA),
    ".mkv": Container("matroska", _WEBM_CODECS | {"h264"}, _VP8, _MATROSKA),
    ".mp4": Container("mp4", frozenset({"opus", "h264", "vp9", "av1"}), _H264, _MP4),
    ".ogg": _OGG,
    ".opus": _OGG,
    ".wav": Container("wav", frozenset(), {"audio": "pcm"}, is_gapless=True),
}


def container_for(path: Path, format: str | None) -> Container:
    """By the format ("webm", "mp4" …) if there is one, else by the suffix. Raises NotSupportedError for others."""
    suffix = path.suffix.lower() if format is None else f".{format.lower().removeprefix('.')}"
    found = _BY_SUFFIX.get(suffix)
    if found is None:
        said = f"files that end in {suffix!r}" if suffix else "files without a suffix"
        raise NotSupportedError(f"{said} cannot be recorded", hint=f"take one of {', '.join(_BY_SUFFIX)}")
    return found
