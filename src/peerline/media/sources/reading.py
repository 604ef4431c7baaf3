"""Once through a file or stream of PyAV: its pieces in the order of their times."""

from __future__ import annotations

import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from peerline.media.sources.passing import Passer
from peerline.media.sources.unpacking import AudioUnpacker, Piece, VideoUnpacker

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["Reading"]

_log = logging.getLogger("peerline.media")

# What may wait in memory for the other stream. Files keep both close together.
MAX_WAITING_BYTES = 64 * 1024 * 1024


class Unpacker(Protocol):
    """Of one stream."""

    def unpack(self, packet: Any, *, is_wanted: bool) -> list[Piece]:
        """The pieces that come out now."""


class Reading:
    """`is_wanted(kind)` says whether pieces of that kind need a frame.

    Raises NotSupportedError if packets are to be passed on that WebRTC does not carry.
    """

    def __init__(
        self, container: InputContainer, *, is_encoded: bool, is_live: bool, is_wanted: Callable[[str], bool]
    ) -> None:
        self._container = container
        self._is_live = is_live
        self._is_wanted = is_wanted
        start_s = (container.start_time or 0) / 1_000_000
        self._streams: dict[str, Any] = dict(chosen_streams(container))
        self._unpackers: dict[str, Unpacker] = {
            kind: _unpacker(kind, stream, start_s, is_encoded) for kind, stream in self._streams.items()
        }
        self._waiting: dict[str, deque[Any]] = {kind: deque() for kind in self._streams}
        self._waiting_bytes = 0
        self._packets = container.demux(list(self._streams.values()))

    @property
    def kinds(self) -> list[str]:
        """ "audio", "video" or both."""
        return list(self._streams)

    def pieces(self) -> Iterator[tuple[str, Piece]]:
        """Each with its kind. What is live comes as it arrives: nobody can read ahead there."""
        if self._is_live:
            for packet in self._packets:
                yield from self._unpacked(packet.stream.type, packet)
        else:
            yield from heapq.merge(*map(self._pieces_of, self._streams), key=lambda found: found[1].time_s)

    def _pieces_of(self, kind: str) -> Iterator[tuple[str, Piece]]:
        for packet in self._packets_of(kind):
            yield from self._unpacked(kind, packet)

    def _unpacked(self, kind: str, packet: Any) -> Iterator[tuple[str, Piece]]:
        for piece in self._unpackers[kind].unpack(packet, is_wanted=self._is_wanted(kind)):
            yield kind, piece

    def _packets_of(self, kind: str) -> Iterator[Any]:
        """Reads on until one of that kind comes; the others wait for their turn."""
        waiting = self._waiting[kind]
        while True:
            if waiting:
                packet = waiting.popleft()
                self._waiting_bytes -= packet.size
                yield packet
                continue
            if self._waiting_bytes > MAX_WAITING_BYTES:
                _log.warning("the %s of a file stays too far behind the rest of it, and is left out", kind)
                return
            packet = next(self._packets, None)
            if packet is None:
                return
            self._waiting[packet.stream.type].append(packet)
            self._waiting_bytes += packet.size


def chosen_streams(container: InputContainer) -> Iterator[tuple[str, Any]]:
    """The first sound and the first pictures that move; the picture on the cover of a song does not."""
    from av.stream import Disposition

    for kind in ("audio", "video"):
        for stream in container.streams:
            # Those that PyAV has no decoder for have no context.
            if stream.type == kind and stream.codec_context and not stream.disposition & Disposition.attached_pic:
                yield kind, stream
                break


def _unpacker(kind: str, stream: Any, start_s: float, is_encoded: bool) -> Unpacker:
    if is_encoded:
        return Passer(stream, start_s)
    return AudioUnpacker(stream, start_s) if kind == "audio" else VideoUnpacker(stream, start_s)
