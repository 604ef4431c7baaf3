"""What tracks get their media from; clones share it (Media Capture and Streams, section 4.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peerline.media.constraints import MediaTrackConstraintSet
    from peerline.media.select_settings import Group
    from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings
    from peerline.media.sink import Frame
    from peerline.media.track import MediaStreamTrack


class Source:
    """A source without properties to set. Devices override `capabilities`, `choices`, `apply` and `stop`."""

    def __init__(self, label: str = "", *, is_muted: bool = False) -> None:
        self.label = label
        self._is_muted = is_muted
        self._is_stopped = False
        # Never changed, only put anew: frames are delivered on other threads meanwhile.
        self._references: tuple[ReferenceType[MediaStreamTrack], ...] = ()

    @property
    def tracks(self) -> tuple[MediaStreamTrack, ...]:
        """Those that are live, and that somebody still holds. On any thread."""
        return tuple(track for one in self._references if (track := one()) is not None)

    @property
    def is_muted(self) -> bool:
        """Whether nothing comes for the time being."""
        return self._is_muted

    def capabilities(self) -> MediaTrackCapabilities:
        """What its tracks could be set to."""
        from peerline.media.settings import MediaTrackCapabilities

        return MediaTrackCapabilities()

    def choices(self, sets: Sequence[MediaTrackConstraintSet]) -> list[Group]:
        """The settings it can have, as far as they matter for these sets of constraints."""
        return []

    def apply(self, track: MediaStreamTrack, settings: MediaTrackSettings) -> None:
        """These settings are chosen for that track."""

    def stop(self) -> None:
        """The last of its tracks has ended."""

    # What it gives ------------------------------------------------------------------------------------

    def deliver(self, *frames: Frame) -> None:
        """The next frame for all its tracks, or several; from any thread, one call at a time."""
        for track in self.tracks:
            track._deliver(*frames)

    def sinks_changed(self) -> None:
        """Somebody began or ceased to take the frames of a track. What costs much is made while somebody does."""

    def request_key_frame(self) -> None:
        """Somebody needs a picture that stands alone. Sources of pictures that are not encoded have no other."""

    @property
    def is_wanted(self) -> bool:
        """Whether anybody takes the frames of any of its tracks."""
        return any(track._sinks for track in self.tracks)

    # The life of its tracks ---------------------------------------------------------------------------

    def attach(self, track: MediaStreamTrack) -> None:
        """A live track depends on it."""
        if track not in self.tracks:
            self._references = (*(ref(one) for one in self.tracks), ref(track))

    def detach(self, track: MediaStreamTrack) -> None:
        """That track has ended."""
        self._references = tuple(ref(one) for one in self.tracks if one is not track)
        if not self.tracks and not self._is_stopped:
            self._is_stopped = True
            self.stop()

    def set_muted(self, is_muted: bool) -> None:
        """Say that nothing comes any more, or something again: tracks fire mute or unmute now. Call it in a task."""
        if is_muted is not self._is_muted:
            self._is_muted = is_muted
            for track in self.tracks:
                track._set_muted(is_muted)

    def end(self) -> None:
        """It is exhausted or gone: tracks end and fire ended now. Call it in a task."""
        for track in self.tracks:
            track._end()
