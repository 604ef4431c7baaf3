"""What negotiation knows of a transceiver: the slots of W3C WebRTC 5.2 to 5.4 that descriptions read or write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from peerline.jsep.direction import TransceiverDirection
from peerline.sdp import Codec, HeaderExtension

__all__ = ["Encoding", "Kind", "Transceiver", "rids_of"]

Kind = Literal["audio", "video"]
# An RTCRtpEncodingParameters: `rid`, `active`, `maxBitrate` …; negotiation reads `rid` alone.
Encoding = dict[str, Any]


@dataclass(eq=False, slots=True)
class Transceiver:
    """One sender and one receiver that share a media section. The W3C's object is a face of this one."""

    kind: Kind
    direction: TransceiverDirection = "sendrecv"
    is_of_add_track: bool = False  # addTrack made it: offers of the peer may take it
    has_had_add_track: bool = False  # addTrack put a track into it
    mid: str | None = None
    index: int | None = None  # which media section, counted from 0
    is_stopping: bool = False
    is_stopped: bool = False
    is_receptive: bool = False
    current_direction: TransceiverDirection | None = None
    fired_direction: TransceiverDirection | None = None  # the last one that track events told of
    has_ever_sent: bool = False
    preferred_codecs: tuple[Codec, ...] = ()
    # Ours, by URI; None: the default ones.
    preferred_extensions: dict[str, TransceiverDirection] | None = None

    # The sender
    has_track: bool = False
    stream_ids: tuple[str, ...] = ()
    encodings: list[Encoding] = field(default_factory=list)
    send_codecs: tuple[Codec, ...] = ()
    ssrcs: tuple[int, int] | None = None  # media and its retransmissions; chosen with the first offer to send
    # Counts what changed `encodings` or `send_codecs` in negotiation: who remembers parameters forgets them.
    sender_revision: int = 0

    # The receiver
    receive_codecs: tuple[Codec, ...] = ()
    remote_stream_ids: tuple[str, ...] = ()

    extensions: tuple[HeaderExtension, ...] = ()  # negotiated
    is_rtcp_reduced_size: bool = False

    def stop_sending_and_receiving(self) -> None:
        """W3C WebRTC 5.4, "stop sending and receiving"."""
        self.direction = "inactive"
        self.is_stopping = True

    def stop(self) -> None:
        """W3C WebRTC 5.4, "stop the RTCRtpTransceiver"."""
        if not self.is_stopping:
            self.stop_sending_and_receiving()
        self.is_stopped = True
        self.is_receptive = False
        self.current_direction = None
        self.remote_stream_ids = ()


def rids_of(encodings: list[Encoding]) -> list[str]:
    """The names of the encodings; empty unless all have one."""
    rids = [encoding["rid"] for encoding in encodings if "rid" in encoding]
    return rids if len(rids) == len(encodings) else []
