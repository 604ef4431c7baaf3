"""The track of an RTCRtpReceiver: what the other side sends (W3C WebRTC, section 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from peerline.media.decoding import Decoding
from peerline.media.encoded_source import EncodedSource
from peerline.media.sink import Frame
from peerline.media.track import MediaStreamTrack

__all__ = ["RemoteTrack"]


class RemoteSource(EncodedSource):
    """`listen(True)` is called when somebody wants frames, `listen(False)` when nobody does any more."""

    def __init__(
        self, kind: Literal["audio", "video"], listen: Callable[[bool], None], ask: Callable[[], None]
    ) -> None:
        super().__init__(kind, f"remote {kind}", is_muted=True)
        self._listen = listen
        self._ask = ask
        self._is_listening = False

    def sinks_changed(self) -> None:
        """See Source."""
        if self.is_wanted is not self._is_listening:
            self._is_listening = self.is_wanted
            self._listen(self._is_listening)

    def request_key_frame(self) -> None:
        """See Source."""
        self._ask()

    def stop(self) -> None:
        """See Source."""
        super().stop()
        self.sinks_changed()


def _nothing(_: bool = False) -> None:
    """Nobody sends to a track that has no receiver."""


class RemoteTrack(MediaStreamTrack):
    """Live, and muted until something comes. The receiver says what happens to it, in tasks of its own."""

    def __init__(
        self,
        kind: Literal["audio", "video"],
        *,
        id: str | None = None,
        listen: Callable[[bool], None] = _nothing,
        ask: Callable[[], None] = _nothing,
    ) -> None:
        super().__init__(kind, id=id, source=RemoteSource(kind, listen, ask))

    def set_muted(self, is_muted: bool) -> None:
        """For it and its clones: fires mute or unmute now, if that is new."""
        self._source.set_muted(is_muted)

    @property
    def is_wanted(self) -> bool:
        """Whether anybody takes its frames, or those of a clone."""
        return self._source.is_wanted

    @property
    def decoding(self) -> Decoding | None:
        """Its decoder, while somebody wants its frames decoded."""
        source = self._source
        return source.decoding if isinstance(source, EncodedSource) else None

    def deliver(self, *frames: Frame) -> None:
        """For it and its clones: the next frame, encoded, or several of one codec."""
        self._source.deliver(*frames)

    def end(self) -> None:
        """For it and its clones: nothing will come any more. Fires ended now, unless it was stopped or has ended."""
        self._source.end()
