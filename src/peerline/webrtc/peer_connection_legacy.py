"""Streams in place of tracks, as connections had them before 2017. Aliases: tracks can do all of it."""

from __future__ import annotations

from peerline.events import EventHandler
from peerline.media import MediaStream
from peerline.webidl import interface
from peerline.webrtc.peer_connection_tracks import TrackMethods

__all__ = ["StreamMethods"]


class StreamMethods(TrackMethods):
    """What tutorials before 2017 use. Each is a few words of today's API, which its docstring names."""

    onaddstream = EventHandler()
    onremovestream = EventHandler()

    def addStream(self, stream: MediaStream) -> None:
        """Today: `pc.addTrack(track, stream)` for each track of it. Tracks that are sent already are left out."""
        known = {sender.track for sender in self.getSenders()}
        for track in interface(MediaStream)(stream, "stream").getTracks():
            if track not in known:
                self.addTrack(track, stream)

    def removeStream(self, stream: MediaStream) -> None:
        """Today: `pc.removeTrack(sender)` for each sender of its tracks."""
        tracks = interface(MediaStream)(stream, "stream").getTracks()
        for sender in self.getSenders():
            if sender.track in tracks:
                self.removeTrack(sender)

    def getLocalStreams(self) -> list[MediaStream]:
        """Today: `pc.getSenders()`, which know tracks. The streams that tracks are sent in."""
        return self._media.local_streams

    def getRemoteStreams(self) -> list[MediaStream]:
        """Today: `event.streams` of the event `track`. The streams that remote tracks belong to."""
        return self._media.remote_streams

    def getStreamById(self, streamId: str) -> MediaStream | None:
        """Today: nothing like it. The local or remote stream of that id."""
        streams = [*self._media.local_streams, *self._media.remote_streams]
        return next((stream for stream in streams if stream.id == streamId), None)
