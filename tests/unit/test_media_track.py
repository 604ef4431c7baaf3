"""MediaStreamTrack: its life, its attributes, its source (Media Capture and Streams, section 4.3)."""

from __future__ import annotations

import pytest

from peerline import MediaStreamTrack, OverconstrainedError
from peerline.events import Event
from peerline.media import RemoteTrack, Source


class Spring(Source):
    """A source that tells whether it was stopped."""

    def __init__(self) -> None:
        super().__init__("spring")
        self.is_stopped = False

    def stop(self) -> None:
        self.is_stopped = True


def types(*tracks: MediaStreamTrack) -> list[str]:
    """A list that gets the types of the events of these tracks."""
    seen: list[str] = []
    for track in tracks:
        for type in ("mute", "unmute", "ended"):
            track.addEventListener(type, lambda event: seen.append(event.type))
    return seen


def test_a_new_track_is_live_enabled_and_has_an_id_of_its_own() -> None:
    one, other = MediaStreamTrack("audio"), MediaStreamTrack("audio")
    assert (one.kind, one.readyState, one.enabled, one.muted) == ("audio", "live", True, False)
    assert one.id != other.id
    assert len(one.id) == 36


def test_a_subclass_says_its_kind_in_the_class() -> None:
    class Camera(MediaStreamTrack):
        kind = "video"

    assert Camera().kind == "video"
    assert Camera().clone().kind == "video"


@pytest.mark.parametrize("kind", [None, "", "data", 3])
def test_a_track_without_a_kind_is_refused(kind: str | None) -> None:
    with pytest.raises(TypeError, match="'audio' or 'video'"):
        MediaStreamTrack(kind)


@pytest.mark.parametrize("name", ["kind", "id", "label", "muted", "readyState"])
def test_what_the_w3c_has_read_only_cannot_be_set(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(MediaStreamTrack("audio"), name, "x")


def test_enabled_takes_whatever_counts_as_true() -> None:
    track = MediaStreamTrack("video")
    track.enabled = 0
    assert track.enabled is False
    track.enabled = "yes"
    assert track.enabled is True


def test_stop_ends_a_track_without_an_event() -> None:
    track = MediaStreamTrack("video")
    seen = types(track)
    track.stop()
    track.stop()
    assert track.readyState == "ended"
    assert seen == []


def test_a_source_is_stopped_when_the_last_of_its_tracks_ends() -> None:
    source = Spring()
    track = MediaStreamTrack("video", source=source)
    clone = track.clone()
    track.stop()
    assert not source.is_stopped
    clone.stop()
    assert source.is_stopped


def test_a_clone_has_its_own_id_and_enabled_and_the_same_source() -> None:
    track = MediaStreamTrack("audio", source=Spring())
    track.enabled = False
    track.contentHint = "speech"
    clone = track.clone()
    assert clone.id != track.id
    assert (clone.label, clone.enabled, clone.contentHint, clone.readyState) == ("spring", False, "speech", "live")
    clone.enabled = True
    assert track.enabled is False


def test_a_clone_of_an_ended_track_has_ended() -> None:
    source = Spring()
    track = MediaStreamTrack("audio", source=source)
    track.stop()
    assert track.clone().readyState == "ended"
    assert source.is_stopped


def test_a_remote_track_begins_muted_and_tells_when_something_comes() -> None:
    track = RemoteTrack("video")
    clone = track.clone()
    seen = types(track, clone)
    assert (track.muted, track.label) == (True, "remote video")
    track.set_muted(False)
    track.set_muted(False)
    assert (track.muted, clone.muted, seen) == (False, False, ["unmute", "unmute"])
    track.set_muted(True)
    assert seen == ["unmute", "unmute", "mute", "mute"]


def test_a_remote_track_ends_with_an_event_once() -> None:
    track = RemoteTrack("audio")
    seen = types(track)
    track.end()
    track.end()
    track.set_muted(False)
    assert (track.readyState, seen) == ("ended", ["ended"])


def test_a_stopped_track_hears_no_more_of_its_source() -> None:
    track = RemoteTrack("audio")
    seen = types(track)
    track.stop()
    track.end()
    track.set_muted(False)
    assert (track.muted, seen) == (True, [])


def test_a_handler_gets_an_event_whose_target_is_the_track() -> None:
    track = RemoteTrack("video")
    events: list[Event] = []
    track.onunmute = events.append
    track.set_muted(False)
    assert events[0].target is track
    assert events[0].isTrusted


def test_a_content_hint_of_the_other_kind_is_ignored() -> None:
    track = MediaStreamTrack("video")
    track.contentHint = "detail"
    track.contentHint = "speech"
    assert track.contentHint == "detail"
    track.contentHint = ""
    assert track.contentHint == ""


async def test_what_is_no_property_of_a_source_is_a_wish_or_an_error() -> None:
    track = MediaStreamTrack("video")
    await track.applyConstraints({"width": 640})
    assert track.getConstraints() == {"width": 640}
    assert track.getSettings() == {}
    with pytest.raises(OverconstrainedError) as caught:
        await track.applyConstraints(width={"exact": 320})
    assert caught.value.constraint == "width"
    assert caught.value.name == "OverconstrainedError"
    assert track.getConstraints() == {"width": 640}


async def test_constraints_of_the_other_kind_are_ignored() -> None:
    track = MediaStreamTrack("audio")
    await track.applyConstraints(width={"exact": 640}, facingMode={"exact": "user"})


async def test_an_ended_track_takes_no_constraints() -> None:
    track = MediaStreamTrack("video")
    track.stop()
    await track.applyConstraints(width={"exact": 640})
    assert track.getConstraints() == {}


@pytest.mark.parametrize("wrong", [{"width": "wide"}, {"advanced": 3}, {"frameRate": float("nan")}, 5])
async def test_wrong_types_of_constraints_are_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError):
        await MediaStreamTrack("video").applyConstraints(wrong)
