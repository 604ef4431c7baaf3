"""Transceivers, and the remote tracks and streams that descriptions bring (W3C WebRTC 4.4.1.5, 5.1, 5.1.1)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from peerline.eventloop import queue_task
from peerline.events import Event
from peerline.jsep import Outcome, Transceiver
from peerline.media import MediaStream, MediaStreamTrack, RemoteTrack
from peerline.webrtc.encodings import checked_encodings
from peerline.webrtc.rtp_transceiver import RTCRtpTransceiver
from peerline.webrtc.stream_event import MediaStreamEvent
from peerline.webrtc.track_event import RTCTrackEvent

if TYPE_CHECKING:
    from peerline.engine.media import ReceivedFrame
    from peerline.webrtc.peer_connection_base import ConnectionBase
    from peerline.webrtc.peer_transport import PeerTransport

__all__ = ["ConnectionMedia"]

# What is kept for each stream of sound, with its headers.
_SOUND_BPS = 50_000


class ConnectionMedia:
    """The set of transceivers as W3C objects."""

    def __init__(self, connection: ConnectionBase) -> None:
        self._connection = connection
        self._faces: dict[Transceiver, RTCRtpTransceiver] = {}
        self._streams: dict[str, MediaStream] = {}
        self._local: dict[str, MediaStream] = {}
        self.transceivers: list[RTCRtpTransceiver] = []
        self._numbers = itertools.count(1)
        self._by_number: dict[int, RTCRtpTransceiver] = {}

    @property
    def remote_streams(self) -> list[MediaStream]:
        """Those that a remote track belongs to now."""
        found: dict[str, MediaStream] = {}
        for transceiver in self.transceivers:
            for stream in transceiver._receiver._streams:
                found.setdefault(stream.id, stream)
        return list(found.values())

    @property
    def local_streams(self) -> list[MediaStream]:
        """Those that a track is sent in."""
        used = {id_ for one in self.transceivers if one._sender.track for id_ in one._negotiated.stream_ids}
        return [stream for id_, stream in self._local.items() if id_ in used]

    def ids_of(self, streams: Iterable[MediaStream]) -> tuple[str, ...]:
        """The ids of streams that a track is to be sent in, each once."""
        self._local |= {stream.id: stream for stream in streams}
        return tuple(dict.fromkeys(stream.id for stream in streams))

    def add(self, negotiated: Transceiver, track: MediaStreamTrack | None) -> RTCRtpTransceiver:
        """A new one, last in the set."""
        self._connection._session.transceivers.append(negotiated)
        return self._give_face(negotiated, track)

    def commit(self, came: Outcome) -> Callable[[], None]:
        """Make what a description made, take away what it took; what is returned fires the events in their order."""
        for negotiated in came.created:
            if not negotiated.encodings:
                negotiated.encodings = checked_encodings(negotiated.kind, [])
            self._give_face(negotiated, None)
        before = self.remote_streams
        muted: list[RemoteTrack] = []
        removed: list[tuple[MediaStream, RemoteTrack]] = []
        added: list[tuple[MediaStream, RemoteTrack]] = []
        announced: list[RTCRtpTransceiver] = []
        for change in came.tracks:
            face = self._faces[change.transceiver]
            receiver = face._receiver
            track = receiver._track
            streams = [self._stream(id_) for id_ in change.stream_ids]
            removed += ((stream, track) for stream in receiver._streams if stream not in streams)
            added += ((stream, track) for stream in streams if stream not in receiver._streams)
            receiver._streams = streams
            if change.is_announced:
                announced.append(face)
            if change.is_muted and not track.muted:
                muted.append(track)
        ended = [self._faces[negotiated] for negotiated in came.stopped if negotiated in self._faces]
        for face in ended:
            face._receiver._streams = []
        for negotiated in came.removed:
            gone = self._faces.pop(negotiated, None)
            if gone is not None:
                self.transceivers.remove(gone)
                self._by_number.pop(gone._number, None)
        after = self.remote_streams
        events: list[Event] = [
            RTCTrackEvent(
                "track",
                {
                    "receiver": face._receiver,
                    "track": face._receiver._track,
                    "streams": face._receiver._streams,
                    "transceiver": face,
                },
            )
            for face in announced
        ]
        events += (MediaStreamEvent("addstream", {"stream": one}) for one in after if one not in before)
        events += (MediaStreamEvent("removestream", {"stream": one}) for one in before if one not in after)

        def fire_events() -> None:
            for face in ended:
                face._receiver._end_track()
            for track in muted:
                track.set_muted(True)
            for stream, track in removed:
                stream.remove_remote(track)
            for stream, track in added:
                stream.add_remote(track)
            for event in events:
                self._connection._fire(event)

        return fire_events

    # What comes and goes by packets (see TransportOwner) ------------------------------------------

    def source_started(self, section: int) -> None:
        """Something comes: the track is not muted (W3C WebRTC, section 5.3)."""
        if section in self._by_number:
            queue_task("networking", self._by_number[section]._receiver._started)

    def source_ended(self, section: int) -> None:
        """Nothing comes any more (RTCP BYE)."""
        if section in self._by_number:
            queue_task("networking", self._by_number[section]._receiver._track.set_muted, True)

    def frames_received(self, section: int, frames: list[ReceivedFrame]) -> None:
        """Frames of a receiver."""
        if section in self._by_number:
            self._by_number[section]._receiver._receive(frames)

    def key_frame_wanted(self, section: int) -> None:
        """The other side cannot show what a sender sends."""
        if section in self._by_number:
            self._by_number[section]._sender._request_key_frame()

    def loss_changed(self, section: int, percent: int) -> None:
        """Of what a sender sends: encoders of sound say things twice."""
        if section in self._by_number:
            self._by_number[section]._sender._expect_loss(percent / 100)

    def estimate_changed(self, transport: PeerTransport, bitrate_bps: int) -> None:
        """So much the path carries: the senders of pictures share it."""
        senders = [one._sender for one in self.transceivers if one._sender._is_sending_on(transport)]
        pictures = [sender for sender in senders if sender._negotiated.kind == "video"]
        sound_bps = _SOUND_BPS * (len(senders) - len(pictures))
        for sender in pictures:
            sender._follow(max(bitrate_bps - sound_bps, 0) // len(pictures))

    def _give_face(self, negotiated: Transceiver, track: MediaStreamTrack | None) -> RTCRtpTransceiver:
        number = next(self._numbers)
        face = RTCRtpTransceiver._made(self._connection, negotiated, track, number)
        self._by_number[number] = face
        self._faces[negotiated] = face
        self.transceivers.append(face)
        return face

    def _stream(self, id_: str) -> MediaStream:
        stream = self._streams.get(id_)
        if stream is None:
            stream = self._streams[id_] = MediaStream.with_id(id_)
        return stream
