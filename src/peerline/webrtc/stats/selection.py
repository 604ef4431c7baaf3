"""What belongs to one sender or receiver: the stats selection algorithm (W3C WebRTC, section 8.5)."""

from __future__ import annotations

from collections.abc import Mapping

from peerline.webrtc.stats.records import RTCStats


def reachable(records: Mapping[str, RTCStats], start: list[RTCStats]) -> list[RTCStats]:
    """These records, and those that they name, directly or through others. A member that ends in "Id" is a name."""
    found: dict[str, RTCStats] = {}
    waiting = list(start)
    while waiting:
        record = waiting.pop()
        if record.id not in found:
            found[record.id] = record
            names = [value for member, value in record.items() if member.endswith("Id")]
            waiting.extend(records[name] for name in names if name in records)
    return [record for id, record in records.items() if id in found]
