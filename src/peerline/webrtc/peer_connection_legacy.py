"""Old ways to use a connection: callbacks, and streams in place of tracks (W3C WebRTC 4.4.3; the 2013 drafts)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from peerline.eventloop import Promise
from peerline.events import Event, EventHandler, EventTarget
from peerline.jobs import call
from peerline.media import MediaStream
from peerline.webidl import interface

if TYPE_CHECKING:
    from peerline.media import MediaStreamTrack
    from peerline.webrtc.peer_connection_media import ConnectionMedia
    from peerline.webrtc.rtp_sender import RTCRtpSender

__all__ = ["LegacyMethods", "MediaStreamEvent", "with_callbacks"]


class MediaStreamEvent(Event):
    """A stream of the other side came or went: `event.stream`."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        init = self.members(eventInitDict, members)
        if "stream" not in init:
            raise TypeError("MediaStreamEvent needs the member 'stream'")
        self._stream = interface(MediaStream)(init["stream"], "stream")

    @property
    def stream(self) -> MediaStream:
        """It."""
        return self._stream


class LegacyMethods(EventTarget):
    """What tutorials before 2017 use. Each is a few words of today's API, which its docstring names."""

    onaddstream = EventHandler()
    onremovestream = EventHandler()

    if TYPE_CHECKING:
        _media: ConnectionMedia

        def addTrack(self, track: MediaStreamTrack, *streams: MediaStream) -> RTCRtpSender: ...
        def getSenders(self) -> list[RTCRtpSender]: ...
        def removeTrack(self, sender: RTCRtpSender) -> None: ...

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


def with_callbacks(method: Callable[..., Promise[Any]], arguments: tuple[Any, ...], first: int) -> Promise[None]:
    """Call it without the callbacks, which stand from place `first` on, and give them what comes of it."""
    success, failure = arguments[first], arguments[first + 1] if len(arguments) > first + 1 else None
    if not callable(failure):
        return Promise.rejected(TypeError("a failure callback is needed beside the success callback"), "a promise")
    rest = (*arguments[:first], *arguments[first + 2 :])

    def settled(result: Any, error: BaseException | None) -> None:
        if error is not None:
            call(failure, error, what="the failure callback")
        elif result is None:
            call(success, what="the success callback")
        else:
            call(success, result, what="the success callback")

    method(*rest).upon(settled)
    return Promise.resolved(None)
