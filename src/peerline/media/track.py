"""One picture or one sound (Media Capture and Streams, section 4.3)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Literal

from peerline.eventloop import promising, queue_task
from peerline.events import Event, EventHandler, EventTarget, fire
from peerline.jobs import Promise
from peerline.media.black import silenced
from peerline.media.constraints import INHERENT_PROPERTIES, MediaTrackConstraints
from peerline.media.encoded_frame import EncodedFrame
from peerline.media.reader import FrameReader
from peerline.media.select_settings import select
from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings
from peerline.media.sink import Frame, Sink
from peerline.media.source import Source
from peerline.webidl import dom_string

CONTENT_HINTS = {
    "audio": ("", "speech", "speech-recognition", "music"),
    "video": ("", "motion", "detail", "text"),
}


class MediaStreamTrack(EventTarget):
    """Given by getUserMedia and by receivers. A subclass says its `kind` in the class: `kind = "video"`.

    Setting `enabled` to False makes it black or silent. `stop()` ends it for good, without an event; `ended` is fired
    if it ends by itself.
    """

    onmute = EventHandler("mute")
    onunmute = EventHandler("unmute")
    onended = EventHandler("ended")

    def __init__(self, kind: str | None = None, *, id: str | None = None, source: Source | None = None) -> None:
        given = type(self).kind if kind is None else kind
        if given not in ("audio", "video"):
            said = "" if kind is None else f", not {kind!r}"
            raise TypeError(f"a track's kind is 'audio' or 'video'{said}: give it, or say it in the class")
        self._kind = given
        self._id = str(uuid.uuid4()) if id is None else id
        self._source = Source() if source is None else source
        self._state: Literal["live", "ended"] = "live"
        self._is_enabled = True
        self._is_muted = self._source.is_muted
        self._content_hint = ""
        self._constraints = MediaTrackConstraints()
        self._settings = MediaTrackSettings()
        self._sinks: tuple[Sink, ...] = ()
        self._source.attach(self)

    if TYPE_CHECKING:
        kind: str  # so that subclasses may say `kind = "video"`
    else:

        @property
        def kind(self) -> str:
            """ "audio" or "video"."""
            return self._kind

    @property
    def id(self) -> str:
        """A name that no other track has."""
        return self._id

    @property
    def label(self) -> str:
        """What its source is called, for people."""
        return self._source.label

    @property
    def enabled(self) -> bool:
        """Whether what comes is let through."""
        return self._is_enabled

    @enabled.setter
    def enabled(self, value: Any) -> None:
        self._is_enabled = bool(value)

    @property
    def muted(self) -> bool:
        """Whether the source has nothing to give for the time being."""
        return self._is_muted

    @property
    def readyState(self) -> str:
        """ "live", then "ended"."""
        return self._state

    @property
    def contentHint(self) -> str:
        """What it shows or what it sounds like, for the encoder: "motion", "detail", "text"; "speech", "music" …

        What is no hint of its kind is ignored (MediaStreamTrack Content Hints, section 3).
        """
        return self._content_hint

    @contentHint.setter
    def contentHint(self, value: Any) -> None:
        hint = dom_string(value, "contentHint")
        if hint in CONTENT_HINTS[self.kind]:
            self._content_hint = hint

    def stop(self) -> None:
        """End it. Its source goes when no track needs it."""
        if self._state != "ended":
            self._forget_settings()
            self._state = "ended"
            self._source.detach(self)
            self._end_sinks()

    def clone(self) -> MediaStreamTrack:
        """Another track of the same source, with an id, an `enabled` and settings of its own."""
        clone = self._sibling()
        clone._is_enabled = self._is_enabled
        clone._content_hint = self._content_hint
        clone._constraints = MediaTrackConstraints(self._constraints)
        clone._settings = MediaTrackSettings(self._settings)
        if self._state == "ended":
            clone._state = "ended"
            clone._source.detach(clone)
        return clone

    def getCapabilities(self) -> MediaTrackCapabilities:
        """What it could be set to."""
        return self._source.capabilities()

    def getConstraints(self) -> MediaTrackConstraints:
        """What was asked of it last."""
        return MediaTrackConstraints(self._constraints)

    def getSettings(self) -> MediaTrackSettings:
        """What it is set to."""
        return MediaTrackSettings(self._settings)

    @promising
    async def applyConstraints(self, constraints: Any = None, /, **members: Any) -> None:
        """Ask for other settings. Rejects with OverconstrainedError, and changes nothing, if they cannot be had."""
        wanted = MediaTrackConstraints(constraints, **members)
        if self._state == "ended":
            return
        applied: Promise[None] = Promise("applyConstraints")
        queue_task("media", self._apply_in_task, wanted, applied)
        await applied

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind} {self.id} {self._state}{' muted' if self._is_muted else ''}>"

    # Its frames ---------------------------------------------------------------------------------------

    def frames(self, max_frames: int | None = None) -> FrameReader[Any]:
        """Its pictures or its sound, decoded: `async for frame in track.frames()`; see FrameReader.

        Needs the extra `media` where they come encoded.
        """
        return FrameReader(self, is_encoded=False, max_frames=max_frames)

    def encoded_frames(self, max_frames: int | None = None) -> FrameReader[EncodedFrame]:
        """Its frames as they come, encoded; nothing for a track whose source is not."""
        return FrameReader(self, is_encoded=True, max_frames=max_frames)

    def request_key_frame(self) -> None:
        """Ask whoever encodes it for a picture that stands alone."""
        self._source.request_key_frame()

    def attach_sink(self, sink: Sink) -> None:
        """Give it every frame from now on, until the track ends. Twice is once."""
        if sink not in self._sinks and self._state != "ended":
            self._sinks = (*self._sinks, sink)
            self._source.sinks_changed()

    def detach_sink(self, sink: Sink) -> None:
        """No more frames for it."""
        if sink in self._sinks:
            self._sinks = tuple(one for one in self._sinks if one is not sink)
            self._source.sinks_changed()

    # For sources and their makers ---------------------------------------------------------------------

    def _apply(self, constraints: MediaTrackConstraints) -> None:
        sets = [constraints, *constraints.get("advanced", ())]
        settings, _ = select(self._source.choices(sets), constraints, self.kind)
        self._source.apply(self, settings)
        self._constraints = constraints
        self._settings = settings

    def _apply_in_task(self, constraints: MediaTrackConstraints, applied: Promise[None]) -> None:
        try:
            self._apply(constraints)
        except Exception as error:
            applied.reject(error)
        else:
            applied.resolve()

    def _sibling(self) -> MediaStreamTrack:
        return MediaStreamTrack(self.kind, source=self._source)

    def _set_muted(self, is_muted: bool) -> None:
        if is_muted is not self._is_muted:
            self._is_muted = is_muted
            fire(self, Event("mute" if is_muted else "unmute"))

    def _end(self) -> None:
        if self._state != "ended":
            self.stop()
            fire(self, Event("ended"))

    def _deliver(self, *frames: Frame, decoded_from: str | None = None) -> None:
        """Several are of one codec."""
        sinks, first = self._sinks, frames[0]
        if isinstance(first, EncodedFrame):
            sinks = tuple(sink for sink in sinks if sink.takes(first.codec))
        elif decoded_from is not None:
            sinks = tuple(sink for sink in sinks if not sink.takes(decoded_from))
        if not sinks:
            return
        if not self._is_enabled:
            frames = tuple(passed for frame in frames if (passed := silenced(frame)) is not None)
        for sink in sinks:
            receive_all = getattr(sink, "receive_all", None) if len(frames) > 1 else None
            if receive_all is not None:
                receive_all(frames)
                continue
            for frame in frames:
                sink.receive(frame)

    def _end_sinks(self) -> None:
        sinks, self._sinks = self._sinks, ()
        for sink in sinks:
            end = getattr(sink, "end", None)
            if end is not None:
                end()

    def _forget_settings(self) -> None:
        """An ended track tells no more than which device it was."""
        self._settings = MediaTrackSettings({n: v for n, v in self._settings.items() if n in INHERENT_PROPERTIES})
