"""What getStats gives: RTCStatsReport (W3C WebRTC, section 8.4)."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from typing import Any

from peerline.webrtc.stats.records import RTCStats


class RTCStatsReport(Mapping[str, RTCStats]):
    """A mapping of ids to records. The same thing has the same id in every report of a connection.

    `for record in report.values(): if record.type == "candidate-pair": …`; a record is a dict with attributes.
    """

    def __init__(self, records: Iterable[RTCStats] = ()) -> None:
        self._records = {record.id: record for record in records}

    def __getitem__(self, id: str) -> RTCStats:
        return self._records[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"<RTCStatsReport {[f'{record.type} {id}' for id, record in self._records.items()]}>"

    # As JavaScript's maps have it ---------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many records."""
        return len(self._records)

    def has(self, id: str, /) -> bool:
        """Whether there is a record of this id."""
        return id in self._records

    def entries(self) -> ItemsView[str, RTCStats]:
        """Pairs of id and record."""
        return self._records.items()

    def forEach(self, callback: Callable[..., Any], /) -> None:
        """Call `callback(record, id, report)` for each."""
        for id, record in self._records.items():
            callback(record, id, self)

    def of_type(self, type: str) -> list[RTCStats]:
        """The records of one type: "transport", "data-channel" …"""
        return [record for record in self._records.values() if record.type == type]
