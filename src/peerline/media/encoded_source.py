"""A source whose frames come encoded: as they are for those who take them so, decoded for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peerline.media.decoding import Decoding, PictureDecoding, SoundDecoding
from peerline.media.encoded_frame import EncodedFrame
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
        encoded = [frame for frame in frames if isinstance(frame, EncodedFrame)]
        codec = encoded[0].codec
        if any(not sink.takes(codec) for track in self.tracks for sink in track._sinks):
            self._codec = codec
            if self._decoding is None:
                self._decoding = self._new_decoding()
            for frame in encoded:
                self._decoding.push(frame)
        else:
            self._stop_decoding()

    @property
    def decoding(self) -> Decoding | None:
        """Its decoder, while there is one."""
        return self._decoding

    def stop(self) -> None:
        """No track is left."""
        self._stop_decoding()

    def _new_decoding(self) -> Decoding:
        if self.kind == "audio":
            return SoundDecoding(self._deliver_decoded)
        return PictureDecoding(self._deliver_decoded, self.request_key_frame)

    def _stop_decoding(self) -> None:
        if self._decoding is not None:
            self._decoding.close()
            self._decoding = None

    def _deliver_decoded(self, frame: Frame) -> None:
        for track in self.tracks:
            track._deliver(frame, decoded_from=self._codec)
