"""Tracks that belong together (Media Capture and Streams, section 4.2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from peerline.events import EventHandler, EventTarget, fire
from peerline.media.track import MediaStreamTrack
from peerline.media.track_event import MediaStreamTrackEvent
from peerline.webidl import dom_string, interface, sequence

_track = interface(MediaStreamTrack)


class MediaStream(EventTarget):
    """`MediaStream()`, `MediaStream(other)` with the tracks of another, or `MediaStream([track, …])`.

    `addtrack` and `removetrack` are fired when the other side of a connection changes it, not when the program does.
    """

    onaddtrack = EventHandler("addtrack")
    onremovetrack = EventHandler("removetrack")

    def __init__(self, streamOrTracks: MediaStream | Iterable[MediaStreamTrack] | None = None, /) -> None:
        if isinstance(streamOrTracks, MediaStream):
            tracks = streamOrTracks.getTracks()
        else:
            tracks = [] if streamOrTracks is None else sequence(_track)(streamOrTracks, "tracks")
        self._id = str(uuid.uuid4())
        # A dictionary is a set that keeps the order in which tracks were added.
        self._tracks = dict.fromkeys(tracks)

    @classmethod
    def with_id(cls, id: str, tracks: Iterable[MediaStreamTrack] = ()) -> MediaStream:
        """One that the other side has named (a=msid)."""
        stream = cls(list(tracks))
        stream._id = id
        return stream

    @property
    def id(self) -> str:
        """A name; the other side of a connection sees the same."""
        return self._id

    @property
    def active(self) -> bool:
        """Whether a track of it is live."""
        return any(track.readyState == "live" for track in self._tracks)

    def getTracks(self) -> list[MediaStreamTrack]:
        """All, in the order in which they were added."""
        return list(self._tracks)

    def getAudioTracks(self) -> list[MediaStreamTrack]:
        """Those of sound."""
        return [track for track in self._tracks if track.kind == "audio"]

    def getVideoTracks(self) -> list[MediaStreamTrack]:
        """Those of pictures."""
        return [track for track in self._tracks if track.kind == "video"]

    def getTrackById(self, trackId: str, /) -> MediaStreamTrack | None:
        """That track, or None."""
        wanted = dom_string(trackId, "trackId")
        return next((track for track in self._tracks if track.id == wanted), None)

    def addTrack(self, track: MediaStreamTrack, /) -> None:
        """Add it, once. Raises TypeError for anything but a track."""
        self._tracks.setdefault(_track(track, "track"))

    def removeTrack(self, track: MediaStreamTrack, /) -> None:
        """Take it out, if it is in. It goes on living."""
        self._tracks.pop(_track(track, "track"), None)

    def clone(self) -> MediaStream:
        """Another stream with clones of the tracks."""
        return MediaStream([track.clone() for track in self._tracks])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._id} {[track.kind for track in self._tracks]}>"

    # For connections: the other side has changed it. Call them in a task --------------------------------

    def add_remote(self, track: MediaStreamTrack) -> bool:
        """Add it and fire addtrack; False if it was in already."""
        is_new = track not in self._tracks
        if is_new:
            self._tracks[track] = None
            self._fire("addtrack", track)
        return is_new

    def remove_remote(self, track: MediaStreamTrack) -> bool:
        """Take it out and fire removetrack; False if it was not in."""
        was_in = track in self._tracks
        if was_in:
            del self._tracks[track]
            self._fire("removetrack", track)
        return was_in

    def _fire(self, type: str, track: MediaStreamTrack) -> None:
        fire(self, MediaStreamTrackEvent(type, track=track))
