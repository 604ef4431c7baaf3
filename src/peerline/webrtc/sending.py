"""From the frames of a track to the packet core: what a sender does with them (W3C WebRTC, section 5.2)."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from peerline.engine.media import FrameOut
from peerline.jsep.codecs import is_media
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.encoding import Encoding, SoundEncoding
from peerline.media.meter import PictureMeter, SoundMeter
from peerline.media.picture_encoding import PictureEncoding
from peerline.media.video_frame import VideoFrame
from peerline.webrtc.limitation import Limitation
from peerline.webrtc.telephone_event import TelephoneEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peerline.jsep import Transceiver
    from peerline.media.sink import Frame
    from peerline.sdp import Codec
    from peerline.webrtc.peer_transport import PeerTransport

__all__ = ["Sending"]

# What RTP, SRTP, UDP and IP add to each packet of sound, fifty times a second, and to pictures, as a part of them.
_AUDIO_HEADERS_BPS = 50 * 8 * 44
_VIDEO_SHARE = 0.93
_MAX_VIDEO_BPS = 2_500_000
_OPUS_BPS, _MAX_AUDIO_BPS = 32_000, 128_000
# What the packet core begins with.
_FIRST_ESTIMATE_BPS = 300_000


class Sending:
    """The sink of a sender's track. It is attached while the sender sends."""

    def __init__(self, section: int, transport: PeerTransport, state: Transceiver) -> None:
        self.transport = transport
        self._section = section
        self._state = state
        self._codecs: dict[str, list[Codec]] = {}
        self._payload_types: dict[str, tuple[int, ...]] = {}
        self._encoding: Encoding[Any] | None = None
        self._estimate_bps: int | None = None
        self._expected_loss = 0.0
        self._is_toning = False
        self._last_sent = (0, time.perf_counter())
        self._limit_bps: int | None = None
        self.sound = SoundMeter()
        self.pictures = PictureMeter()
        self._is_held_back = False
        self._limitation = Limitation()

    # As a sink ----------------------------------------------------------------------------------------

    def takes(self, codec: str) -> bool:
        """See Sink."""
        return codec in self._codecs

    def receive(self, frame: Frame) -> None:
        """See Sink."""
        if isinstance(frame, EncodedFrame):
            self._send(frame)
            return
        if self._encoding is None:
            name = self._first_choice()
            if name is None:
                return
            self._encoding = self._new_encoding(name)
            self._apply(self._encoding)
        if isinstance(frame, VideoFrame):
            self.pictures.saw(frame)
        else:
            self.sound.heard(frame)
        self._encoding.push(frame)

    def receive_all(self, frames: Sequence[Frame]) -> None:
        """See Sink: several go to the packet core as one command."""
        self._send(*(frame for frame in frames if isinstance(frame, EncodedFrame)))

    # What the sender says ------------------------------------------------------------------------------

    def update(self, codecs: Sequence[Codec], encoding: Mapping[str, Any], limit_bps: int | None) -> None:
        """After a negotiation, or setParameters."""
        by_name: dict[str, list[Codec]] = {}
        for codec in codecs:
            if is_media(codec):
                by_name.setdefault(codec.key, []).append(codec)
        self._codecs, self._limit_bps, self._parameters = by_name, limit_bps, encoding
        self._payload_types = {name: tuple(codec.payload_type for codec in codecs) for name, codecs in by_name.items()}
        if self._encoding is not None:
            if self._encoding.codec != self._first_choice():
                self._encoding.close()
                self._encoding = None
            else:
                self._apply(self._encoding)

    def follow(self, estimate_bps: int) -> None:
        """So much the path carries for this sender."""
        self._estimate_bps = estimate_bps
        if self._encoding is not None:
            self._apply(self._encoding)

    def expect_loss(self, share: float) -> None:
        """Such a share of the packets does not arrive."""
        self._expected_loss = share
        if self._encoding is not None:
            self._apply(self._encoding)

    def play_tone(self, key: str, duration_ms: int) -> None:
        """A key of a telephone in place of sound, if one was agreed on."""
        codec = self._tone_codec()
        if codec is None:
            return
        clock_hz, began = codec.clock_rate_hz, self._last_sent
        since_s = time.perf_counter() - began[1]
        timestamp = (began[0] + int(since_s * clock_hz)) & 0xFFFFFFFF

        def send(payload: bytes) -> None:
            with contextlib.suppress(RuntimeError):
                self.transport.media.send_frames(self._section, [FrameOut(payload, timestamp, codec.payload_type)])

        def over() -> None:
            self._is_toning = False

        self._is_toning = True
        TelephoneEvent(key, duration_ms, clock_hz, send, over).start()

    def request_key_frame(self) -> bool:
        """Whether there is an encoder here that makes one."""
        if self._encoding is None:
            return False
        self._encoding.request_key_frame()
        return True

    @property
    def encoding(self) -> Encoding[Any] | None:
        """The encoder, where frames come that are not encoded."""
        return self._encoding

    @property
    def limitation(self) -> Limitation:
        """What keeps pictures from being better."""
        is_scaled = isinstance(self._encoding, PictureEncoding) and self._encoding.is_scaled
        self._limitation.turn("bandwidth" if self._is_held_back or is_scaled else "none")
        return self._limitation

    @property
    def scalability_mode(self) -> str:
        """Of the encoding; W3C WebRTC-SVC, section 4.1."""
        return self._parameters.get("scalabilityMode") or "L1T1"

    def close(self) -> None:
        """Nothing more is sent."""
        self._codecs, self._payload_types = {}, {}
        if self._encoding is not None:
            self._encoding.close()
            self._encoding = None

    # Inside -------------------------------------------------------------------------------------------

    def _new_encoding(self, name: str) -> Encoding[Any]:
        make = SoundEncoding if self._state.kind == "audio" else PictureEncoding
        return make(name, self._send, _OPUS_BPS)

    def _first_choice(self) -> str | None:
        wanted = self._parameters.get("codec")
        if wanted is not None:
            name = str(wanted["mimeType"]).partition("/")[2].lower()
            if name in self._codecs:
                return name
        return next(iter(self._codecs), None)

    def _tone_codec(self) -> Codec | None:
        """With the clock of the sound: one source has one."""
        first = next(iter(self._codecs.values()), None)
        for codec in self._state.send_codecs:
            if codec.key == "telephone-event" and first and codec.clock_rate_hz == first[0].clock_rate_hz:
                return codec
        return None

    def _send(self, *frames: EncodedFrame) -> None:
        if self._is_toning:
            return
        out = []
        for frame in frames:
            numbers = self._payload_types.get(frame.codec)
            if numbers:
                payload_type = frame.payload_type if frame.payload_type in numbers else numbers[0]
                rotation = frame.rotation or None
                out.append(
                    FrameOut(frame.data, frame.timestamp & 0xFFFFFFFF, payload_type, frame.audio_level, rotation)
                )
        if out:
            self._last_sent = (out[-1].timestamp, time.perf_counter())
            # The engine may have been closed by another thread.
            with contextlib.suppress(RuntimeError):
                self.transport.media.send_frames(self._section, out)

    def _apply(self, encoding: Encoding[Any]) -> None:
        limit = self._limit_bps
        if isinstance(encoding, SoundEncoding):
            encoding.expected_loss = self._expected_loss
            encoding.set_bitrate(_OPUS_BPS if limit is None else min(limit - _AUDIO_HEADERS_BPS, _MAX_AUDIO_BPS))
            return
        assert isinstance(encoding, PictureEncoding)
        allowed = _MAX_VIDEO_BPS if limit is None else limit
        carried = _FIRST_ESTIMATE_BPS if self._estimate_bps is None else self._estimate_bps
        self._is_held_back = carried < allowed
        encoding.set_bitrate(int(min(carried, allowed) * _VIDEO_SHARE))
        encoding.scale_down_by = self._parameters.get("scaleResolutionDownBy") or 1.0
        encoding.max_frame_rate = self._parameters.get("maxFramerate")
