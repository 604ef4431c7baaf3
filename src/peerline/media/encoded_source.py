"""A source whose frames come encoded: as they are for those who take them so, decoded for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peerline.media.decoding import Decoding
from peerline.media.source import Source

if TYPE_CHECKING:
    from peerline.media.sink import Frame

__all__ = ["EncodedSource"]


class EncodedSource(Source):
    """Subclasses say how a key frame is asked for. Nothing is decoded while nobody wants it."""

    def __init__(self, kind: str, label: str = "", *, is_muted: bool = False) -> None:
        super().__init__(label, is_muted=is_muted)
        self.kind = kind
        self._decoding: Decoding | None = None
        self._codec = ""

    def deliver(self, *frames: Frame) -> None:
        """The next encoded frame, or several of one codec."""
        super().deliver(*frames)
        codec: str = frames[0].codec  # type: ignore[union-attr]
        is_decoded = any(not sink.takes(codec) for track in self.tracks for sink in track._sinks)
        if is_decoded:
            self._codec = codec
            if self._decoding is None:
                self._decoding = Decoding(self.kind, self._deliver_decoded, self.request_key_frame)
            for frame in frames:
                self._decoding.push(frame)  # type: ignore[arg-type]
        elif self._decoding is not None:
            self._decoding.close()
            self._decoding = None

    @property
    def decoding(self) -> Decoding | None:
        """Its decoder, while there is one."""
        return self._decoding

    def stop(self) -> None:
        """No track is left."""
        if self._decoding is not None:
            self._decoding.close()
            self._decoding = None

    def _deliver_decoded(self, frame: Frame) -> None:
        for track in self.tracks:
            track._deliver(frame, decoded_from=self._codec)
