"""getStats: gathers the records of a connection (W3C WebRTC, sections 8.2 and 8.5)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from peerline.eventloop import Promise, promise, queue_task
from peerline.webrtc.rtp_receiver import RTCRtpReceiver
from peerline.webrtc.rtp_sender import RTCRtpSender
from peerline.webrtc.stats.channels import channel_records
from peerline.webrtc.stats.ids import Ids, ids_of
from peerline.webrtc.stats.paths import path_records
from peerline.webrtc.stats.records import RTCStats
from peerline.webrtc.stats.report import RTCStatsReport
from peerline.webrtc.stats.selection import reachable
from peerline.webrtc.stats.streams import stream_records

if TYPE_CHECKING:
    from peerline.webrtc.peer_connection_base import ConnectionBase

# Timestamps of a report and of the next are as far apart as they were taken, whatever happens to the wall clock.
_ORIGIN_MS = time.time() * 1000 - time.perf_counter() * 1000


def now_ms() -> float:
    """Milliseconds since 1970, on a clock that only goes forward (performance.timeOrigin + performance.now())."""
    return _ORIGIN_MS + time.perf_counter() * 1000


async def collect(connection: ConnectionBase, selector: RTCRtpSender | RTCRtpReceiver | None) -> RTCStatsReport:
    """A report of everything, or of what belongs to one sender or receiver."""
    asked = [promise(path.stats(), "the engine's counters") for path in connection._transports.all]
    paths = connection._transports.all
    figures = [await one for one in asked]
    if not asked:
        await _a_task()
    now, ids = now_ms(), ids_of(connection)
    records: dict[str, RTCStats] = {}
    for record in _records(connection, list(zip(paths, figures, strict=True)), ids, now):
        records.setdefault(record.id, record)
    if selector is None:
        return RTCStatsReport(records.values())
    return RTCStatsReport(reachable(records, _of(selector, records)))


def _records(
    connection: ConnectionBase, paths: list[tuple[Any, Mapping[str, Any] | None]], ids: Ids, now: float
) -> Iterator[RTCStats]:
    counted: dict[int, Mapping[str, int]] = {}
    for _, figures in paths:
        counted.update((figures or {}).get("channels", {}))
    yield from channel_records(connection._channels, counted, ids, now)
    for path, figures in paths:
        yield from path_records(path, figures, ids, now)
    if not connection._is_closed:
        by_path = dict(paths)
        for transceiver in connection._transceivers:
            path = connection._transports.of(transceiver._negotiated.index)
            yield from stream_records(transceiver, by_path.get(path), ids, now)


def _of(selector: RTCRtpSender | RTCRtpReceiver, records: Mapping[str, RTCStats]) -> list[RTCStats]:
    """The streams of a sender or receiver."""
    if isinstance(selector, RTCRtpReceiver):
        track = selector.track.id
        return [one for one in records.values() if one.type == "inbound-rtp" and one["trackIdentifier"] == track]
    if selector._negotiated.ssrcs is None:
        return []
    ssrc = selector._negotiated.ssrcs[0]
    return [one for one in records.values() if one.type == "outbound-rtp" and one["ssrc"] == ssrc]


async def _a_task() -> None:
    reached: Promise[None] = Promise("a task")
    queue_task("networking", reached.resolve)
    await reached
