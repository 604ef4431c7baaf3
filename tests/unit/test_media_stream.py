"""MediaStream: a set of tracks with an order (Media Capture and Streams, section 4.2)."""

from __future__ import annotations

from typing import Any

import pytest

from peerline import MediaStream, MediaStreamTrack, MediaStreamTrackEvent


def pair() -> tuple[MediaStreamTrack, MediaStreamTrack]:
    return MediaStreamTrack("audio"), MediaStreamTrack("video")


def test_a_stream_is_made_of_nothing_of_tracks_or_of_a_stream() -> None:
    sound, picture = pair()
    stream = MediaStream([sound, picture, sound])
    assert MediaStream().getTracks() == []
    assert stream.getTracks() == [sound, picture]
    other = MediaStream(stream)
    assert other.getTracks() == [sound, picture]
    assert other.id != stream.id


@pytest.mark.parametrize("wrong", [3, "tracks", [3], [MediaStream()], {"a": 1}, b"x"])
def test_a_stream_is_made_of_nothing_else(wrong: Any) -> None:
    with pytest.raises(TypeError):
        MediaStream(wrong)


def test_a_track_is_in_a_stream_once_and_in_the_order_of_adding() -> None:
    sound, picture = pair()
    stream = MediaStream()
    for track in (picture, sound, picture):
        stream.addTrack(track)
    assert stream.getTracks() == [picture, sound]
    assert stream.getAudioTracks() == [sound]
    assert stream.getVideoTracks() == [picture]


def test_what_is_no_track_is_neither_added_nor_removed() -> None:
    stream = MediaStream()
    for act in (stream.addTrack, stream.removeTrack):
        with pytest.raises(TypeError):
            act("track")  # type: ignore[arg-type]


def test_removing_a_track_leaves_it_live() -> None:
    sound, _ = pair()
    stream = MediaStream([sound])
    stream.removeTrack(sound)
    stream.removeTrack(sound)
    assert stream.getTracks() == []
    assert sound.readyState == "live"


def test_a_track_is_found_by_its_id() -> None:
    sound, picture = pair()
    stream = MediaStream([sound, picture])
    assert stream.getTrackById(picture.id) is picture
    assert stream.getTrackById("nobody") is None


def test_a_stream_is_active_while_one_track_is_live() -> None:
    sound, picture = pair()
    stream = MediaStream([sound, picture])
    sound.stop()
    assert stream.active
    picture.stop()
    assert not stream.active
    assert not MediaStream().active


def test_a_clone_has_clones_of_the_tracks() -> None:
    sound, picture = pair()
    clone = MediaStream([sound, picture]).clone()
    assert [track.kind for track in clone.getTracks()] == ["audio", "video"]
    assert {track.id for track in clone.getTracks()}.isdisjoint({sound.id, picture.id})


def test_the_program_changes_a_stream_silently_and_the_other_side_does_not() -> None:
    sound, picture = pair()
    stream = MediaStream.with_id("theirs")
    seen: list[tuple[str, MediaStreamTrack]] = []
    stream.onaddtrack = stream.onremovetrack = lambda event: seen.append((event.type, event.track))
    stream.addTrack(sound)
    stream.removeTrack(sound)
    assert seen == []
    assert (stream.add_remote(picture), stream.add_remote(picture)) == (True, False)
    assert (stream.remove_remote(picture), stream.remove_remote(picture)) == (True, False)
    assert seen == [("addtrack", picture), ("removetrack", picture)]
    assert stream.id == "theirs"


def test_a_track_event_needs_a_track() -> None:
    sound, _ = pair()
    assert MediaStreamTrackEvent("addtrack", {"track": sound}).track is sound
    assert MediaStreamTrackEvent("addtrack", track=sound, bubbles=True).bubbles
    for wrong in ({}, {"track": None}, {"track": "sound"}):
        with pytest.raises(TypeError):
            MediaStreamTrackEvent("addtrack", wrong)
