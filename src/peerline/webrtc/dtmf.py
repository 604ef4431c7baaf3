"""RTCDTMFSender and its event: the keys of a telephone (W3C WebRTC 7; RFC 4733)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peerline.errors import InvalidCharacterError, InvalidStateError
from peerline.eventloop import set_timeout
from peerline.events import Event, EventHandler, EventTarget, fire
from peerline.jsep.direction import sends
from peerline.webidl import dom_string, unsigned_long

if TYPE_CHECKING:
    from peerline.webrtc.rtp_sender import RTCRtpSender

__all__ = ["RTCDTMFSender", "RTCDTMFToneChangeEvent"]

_TONES = re.compile("[0-9A-D#*,]*")
_PAUSE_MS = 2000  # a comma


class RTCDTMFToneChangeEvent(Event):
    """A tone begins: `event.tone`; "" when all are over."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        self._tone = dom_string(self.members(eventInitDict, members).get("tone", ""), "tone")

    @property
    def tone(self) -> str:
        """0 to 9, A to D, #, *, or a comma for a pause."""
        return self._tone


class RTCDTMFSender(EventTarget):
    """Plays tones in the stream of a sender of audio."""

    _sender: RTCRtpSender
    _buffer: str
    _duration_ms: int
    _gap_ms: int
    _is_playing: bool

    ontonechange = EventHandler()

    def __init__(self) -> None:
        raise TypeError("RTCDTMFSender has no constructor: it is the dtmf of a sender of audio")

    @classmethod
    def _made(cls, sender: RTCRtpSender) -> RTCDTMFSender:
        made = cls.__new__(cls)
        made._sender = sender
        made._buffer, made._duration_ms, made._gap_ms, made._is_playing = "", 100, 70, False
        return made

    @property
    def canInsertDTMF(self) -> bool:
        """Whether the sender sends, and tones were negotiated."""
        state = self._sender._negotiated
        return (
            not state.is_stopped
            and sends(state.current_direction)
            and state.encodings[0]["active"]
            and any(codec.key == "telephone-event" for codec in state.send_codecs)
        )

    @property
    def toneBuffer(self) -> str:
        """What is still to be played."""
        return self._buffer

    def insertDTMF(self, tones: Any, duration: Any = 100, interToneGap: Any = 70) -> None:
        """Play these in place of what is left. `duration` of each is 40 to 6000 ms, the gap 30 ms at least.

        Raises InvalidStateError if nothing can be sent, InvalidCharacterError for what is no tone.
        """
        text = dom_string(tones, "tones")
        duration_ms, gap_ms = unsigned_long(duration, "duration"), unsigned_long(interToneGap, "interToneGap")
        if self._sender._negotiated.is_stopping or not self.canInsertDTMF:
            raise InvalidStateError("no tones can be sent", hint="Negotiate audio in this direction first.")
        text = text.upper()
        if _TONES.fullmatch(text) is None:
            raise InvalidCharacterError("tones are 0 to 9, A to D, #, * and the comma")
        self._buffer = text
        self._duration_ms, self._gap_ms = min(max(duration_ms, 40), 6000), max(gap_ms, 30)
        if text and not self._is_playing:
            self._is_playing = True
            set_timeout(self._play, 0)

    def _play(self) -> None:
        """The specification's "playout task"."""
        state = self._sender._negotiated
        if state.is_stopping or not sends(state.current_direction):
            self._is_playing = False
            return
        tone, self._buffer = self._buffer[:1], self._buffer[1:]
        if not tone:
            self._is_playing = False
        else:
            set_timeout(self._play, _PAUSE_MS if tone == "," else self._duration_ms + self._gap_ms)
            if tone != "," and self._sender._sending is not None:
                self._sender._sending.play_tone(tone, self._duration_ms)
        fire(self, RTCDTMFToneChangeEvent("tonechange", {"tone": tone}))
