"""How fast a source may send: what the application and the other side allow (RFC 8866, section 5.8; RFC 3890)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peerline.sdp import MediaSection

__all__ = ["sending_limit"]


def sending_limit(encodings: Sequence[Mapping[str, Any]], remote: MediaSection | None) -> int | None:
    """Bits a second with all headers of RTP; None: no limit.

    `b=AS` counts IP and UDP as well, and `b=TIAS` none of the headers: both are taken as they stand, so that what is
    received is never more than what was said.
    """
    limits = [encoding["maxBitrate"] for encoding in encodings if encoding.get("maxBitrate") is not None]
    said = remote.bandwidths if remote is not None else ()
    limits += [one.bps for one in said if one.type in ("AS", "TIAS")]
    return min(limits, default=None)
