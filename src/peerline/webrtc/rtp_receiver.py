"""RTCRtpReceiver (W3C WebRTC 5.3)."""

from __future__ import annotations

import itertools
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from peerline.errors import RangeError
from peerline.eventloop import Promise, queue_task
from peerline.jobs import running_jobs
from peerline.jsep import Transceiver
from peerline.jsep.direction import receives
from peerline.media import EncodedFrame, MediaStream, MediaStreamTrack, RemoteTrack
from peerline.webidl import double, nullable
from peerline.webrtc.capabilities import get_capabilities
from peerline.webrtc.rtp_parameters import RTCRtpCapabilities, RTCRtpReceiveParameters, codec_dictionary
from peerline.webrtc.rtp_sources import RTCRtpContributingSource, RTCRtpSynchronizationSource, Sources

if TYPE_CHECKING:
    from peerline.engine.media import ReceivedFrame
    from peerline.jsep.record import Applied
    from peerline.webrtc.dtls_transport import RTCDtlsTransport
    from peerline.webrtc.peer_connection_base import ConnectionBase
    from peerline.webrtc.peer_transport import PeerTransport
    from peerline.webrtc.stats import RTCStatsReport

__all__ = ["RTCRtpReceiver"]

MAX_JITTER_BUFFER_TARGET_MS = 4000
_CODEC = attrgetter("codec")


class RTCRtpReceiver:
    """Receives one track. Made with its transceiver; `track` is there from the beginning, muted until media comes."""

    _connection: ConnectionBase
    _negotiated: Transceiver
    _track: RemoteTrack
    _streams: list[MediaStream]
    _transport: RTCDtlsTransport | None
    _jitter_buffer_target: float | None
    _number: int
    _sources: Sources
    _codecs: dict[int, str]  # by payload type
    _timestamps: dict[int, int]  # the last one of each source, counted on past its wraps

    def __init__(self) -> None:
        raise TypeError("RTCRtpReceiver has no constructor: addTrack and addTransceiver make one")

    @classmethod
    def _made(cls, connection: ConnectionBase, negotiated: Transceiver, number: int) -> RTCRtpReceiver:
        made = cls.__new__(cls)
        made._connection, made._negotiated = connection, negotiated
        made._number = number
        made._track = RemoteTrack(negotiated.kind, listen=made._listen, ask=made._request_key_frame)
        made._sources = Sources()
        made._timestamps = {}
        made._codecs = {}
        made._streams = []
        made._transport = None
        made._jitter_buffer_target = None
        return made

    @property
    def track(self) -> MediaStreamTrack:
        """What is received."""
        return self._track

    @property
    def transport(self) -> RTCDtlsTransport | None:
        """Where it comes from; None before a description says so."""
        return self._transport

    @property
    def rtcpTransport(self) -> None:
        """An old attribute: RTCP has no transport of its own."""
        return

    @property
    def jitterBufferTarget(self) -> float | None:
        """How much media is held back to even out its arrival, in milliseconds from 0 to 4000; None: as it seems best.

        Raises RangeError for other numbers.
        """
        return self._jitter_buffer_target

    @jitterBufferTarget.setter
    def jitterBufferTarget(self, value: Any) -> None:
        target = nullable(double)(value, "jitterBufferTarget")
        if target is not None and not 0 <= target <= MAX_JITTER_BUFFER_TARGET_MS:
            raise RangeError(f"jitterBufferTarget is from 0 to {MAX_JITTER_BUFFER_TARGET_MS} ms, not {target}")
        if target != self._jitter_buffer_target:
            self._jitter_buffer_target = target
            self._connection._transports.commit_media()

    @staticmethod
    def getCapabilities(kind: str) -> RTCRtpCapabilities | None:
        """The codecs and header extensions that can be received; None for what is neither "audio" nor "video"."""
        return get_capabilities(kind)

    def getParameters(self) -> RTCRtpReceiveParameters:
        """The codecs and header extensions that may come, as negotiated."""
        state = self._negotiated
        return RTCRtpReceiveParameters(
            headerExtensions=[
                {"uri": one.uri, "id": one.id} for one in state.extensions if receives(one.direction or "sendrecv")
            ],
            rtcp={"reducedSize": state.is_rtcp_reduced_size},
            codecs=[codec_dictionary(state.kind, codec, has_payload_type=True) for codec in state.receive_codecs],
        )

    def getContributingSources(self) -> list[RTCRtpContributingSource]:
        """Those of whom a mixer made what was played in the last 10 seconds (CSRCs), the latest first."""
        self._watch()
        return self._sources.contributing()

    def getSynchronizationSources(self) -> list[RTCRtpSynchronizationSource]:
        """The sources (SSRCs) of what was played in the last 10 seconds, the latest first.

        They are known from the first call on, unless somebody takes the frames of the track.
        """
        self._watch()
        return self._sources.synchronization()

    def getStats(self) -> Promise[RTCStatsReport]:
        """Figures of this receiver."""
        return self._connection._collect_stats(self)

    # Inside ----------------------------------------------------------------------------------------

    def _watch(self) -> None:
        self._track.attach_sink(self._sources)

    def _path(self) -> PeerTransport | None:
        return self._connection._transports.of(self._negotiated.index)

    def _listen(self, is_listened_to: bool) -> None:
        path = self._path()
        if path is not None:
            path.media.listen(self._number, is_listened_to)

    def _request_key_frame(self) -> None:
        path = self._path()
        if path is not None:
            path.media.request_key_frame(self._number)

    def _commit(self, local: Applied | None) -> None:
        """Descriptions may have moved it to another transport, or changed what payload types mean."""
        section = local.section(self._negotiated.index) if local is not None else None
        self._codecs = {codec.payload_type: codec.key for codec in section.codecs} if section is not None else {}
        if self._track.is_wanted:
            self._listen(True)

    def _started(self) -> None:
        if receives(self._negotiated.current_direction or "inactive") and not self._negotiated.is_stopped:
            self._track.set_muted(False)

    def _receive(self, frames: list[ReceivedFrame]) -> None:
        codecs, timestamps = self._codecs, self._timestamps
        received: list[EncodedFrame] = []
        # Thousands a second come this way where media is passed on: each is taken apart once, and made by position.
        for data, wrapped, payload_type, ssrc, is_key, lost_before, _, level, rotation, _ in frames:
            name = codecs.get(payload_type)
            if name is None:
                continue
            last = timestamps.get(ssrc, wrapped)
            timestamp = timestamps[ssrc] = last + (wrapped - last + 0x80000000) % 0x100000000 - 0x80000000
            received.append(
                EncodedFrame(data, timestamp, name, is_key, None, lost_before, payload_type, rotation or 0, level)
            )
        self._sources.heard(frames)
        # Those of one codec go together.
        for _, together in itertools.groupby(received, key=_CODEC):
            self._track.deliver(*together)

    def _end_track(self) -> None:
        """In a task of its own (Media Capture and Streams, section 4.3.1, "ended by the user agent")."""
        if running_jobs() is not None:
            queue_task("networking", self._track.end)
        else:
            self._track.end()

    def __repr__(self) -> str:
        return f"<RTCRtpReceiver {self._negotiated.kind} mid={self._negotiated.mid!r}>"
