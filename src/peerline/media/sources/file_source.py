"""What the tracks of a MediaFile get their frames from: one for its sound, one for its pictures."""

from __future__ import annotations

from typing import Literal, Protocol

from peerline.media.encoded_source import EncodedSource
from peerline.media.source import Source

__all__ = ["EncodedFileSource", "FileSource"]


class Player(Protocol):
    """Plays the file for both."""

    def sinks_changed(self) -> None:
        """Somebody takes the frames of a track, or nobody any more."""

    def source_stopped(self) -> None:
        """A source has lost its last track."""


class _Played(Source):
    """What both kinds of sources have in common."""

    _player: Player
    is_stopped = False

    def sinks_changed(self) -> None:
        """See Source."""
        self._player.sinks_changed()

    def stop(self) -> None:
        """See Source."""
        self.is_stopped = True
        self._player.source_stopped()

    def stop_tracks(self) -> None:
        """All of them, without an event."""
        for track in self.tracks:
            track.stop()


class FileSource(_Played):
    """Of decoded frames."""

    def __init__(self, kind: Literal["audio", "video"], player: Player) -> None:
        super().__init__(f"{kind} of a file")
        self._player = player


class EncodedFileSource(_Played, EncodedSource):
    """Of frames as they are in the file. There are no other key frames than those."""

    def __init__(self, kind: Literal["audio", "video"], player: Player) -> None:
        super().__init__(kind, f"{kind} of a file")
        self._player = player

    def stop(self) -> None:
        """See Source."""
        EncodedSource.stop(self)
        _Played.stop(self)
