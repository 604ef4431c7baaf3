"""getUserMedia and what settings it chooses (Media Capture and Streams, sections 10.2 and 11)."""

from __future__ import annotations

import pickle
from typing import Any, Literal

import pytest

from peerline import (
    DeviceChangeEvent,
    InputDeviceInfo,
    MediaDevices,
    MediaStreamTrack,
    OverconstrainedError,
    mediaDevices,
)
from peerline.errors import NotAllowedError, NotFoundError
from peerline.media import CameraMode, InputDevice, MediaTrackCapabilities, MediaTrackSettings, Source


class Opened(Source):
    def __init__(self, device: Pretended) -> None:
        super().__init__(device.label)
        self.device = device

    def capabilities(self) -> MediaTrackCapabilities:
        return self.device.capabilities

    def choices(self, sets: Any) -> Any:
        return self.device.choices(sets)

    def stop(self) -> None:
        self.device.open_count -= 1


class Pretended(InputDevice):
    """A device without a computer around it."""

    def __init__(
        self, kind: Literal["audio", "video"], id: str, modes: tuple[CameraMode, ...] = (), **usual: Any
    ) -> None:
        self.kind, self.id, self.group, self.label, self.modes = kind, id, "box", id.title(), modes
        self.usual = MediaTrackSettings(usual)
        self.possible: dict[str, Any] = {}
        self.error: Exception | None = None
        self.open_count = 0

    @property
    def capabilities(self) -> MediaTrackCapabilities:
        return MediaTrackCapabilities(self.possible, deviceId=self.id, groupId=self.group)

    async def open(self) -> Source:
        if self.error is not None:
            raise self.error
        self.open_count += 1
        return Opened(self)


def camera(id: str = "front", facing: str = "user") -> Pretended:
    made = Pretended("video", id, (CameraMode(640, 480, 30), CameraMode(1280, 720, 30)), facingMode=facing)
    made.possible = {"width": {"min": 1, "max": 1280}, "height": {"min": 1, "max": 720}, "facingMode": [facing]}
    return made


def microphone() -> Pretended:
    made = Pretended("audio", "mic", sampleRate=48000, echoCancellation=True)
    made.possible = {"sampleRate": {"min": 8000, "max": 96000}, "echoCancellation": [True, False]}
    return made


async def settings_for(constraints: Any, *devices: InputDevice) -> MediaTrackSettings:
    stream = await MediaDevices(devices or [microphone(), camera()]).getUserMedia(constraints)
    (track,) = stream.getTracks()
    return track.getSettings()


async def test_there_is_nothing_to_capture_with_yet_and_the_error_says_so() -> None:
    assert await mediaDevices.enumerateDevices() == []
    with pytest.raises(NotFoundError) as caught:
        await mediaDevices.getUserMedia(audio=True)
    assert "MediaStreamTrack" in str(caught.value.hint)


@pytest.mark.parametrize("constraints", [None, {}, {"audio": False}, {"other": True}, {"video": False, "audio": False}])
async def test_asking_for_nothing_is_a_type_error(constraints: Any) -> None:
    with pytest.raises(TypeError):
        await mediaDevices.getUserMedia(constraints)


async def test_a_stream_has_a_track_for_each_kind_that_was_asked_for() -> None:
    devices = MediaDevices([camera(), microphone()])
    stream = await devices.getUserMedia(audio=True, video=True)
    assert [(track.kind, track.label) for track in stream.getTracks()] == [("audio", "Mic"), ("video", "Front")]
    assert stream.active


async def test_devices_are_listed_with_microphones_first_and_in_new_objects() -> None:
    devices = MediaDevices([camera(), microphone()])
    one, other = await devices.enumerateDevices(), await devices.enumerateDevices()
    assert [info.toJSON() for info in one] == [
        {"deviceId": "mic", "kind": "audioinput", "label": "Mic", "groupId": "box"},
        {"deviceId": "front", "kind": "videoinput", "label": "Front", "groupId": "box"},
    ]
    assert one[0] is not other[0]
    assert isinstance(one[1], InputDeviceInfo)
    assert one[1].getCapabilities()["width"] == {"max": 1280, "min": 1}


async def test_without_wishes_a_device_is_as_usual() -> None:
    chosen = await settings_for({"video": True})
    assert (chosen.width, chosen.height, chosen.frameRate, chosen.resizeMode) == (640, 480, 30.0, "none")
    assert (chosen.deviceId, chosen.groupId, chosen.facingMode) == ("front", "box", "user")


@pytest.mark.parametrize(
    ("wish", "size"),
    [
        ({"width": 1280}, (1280, 720, "none")),
        ({"width": 320}, (320, 480, "crop-and-scale")),
        ({"width": {"ideal": 320, "min": 160}, "aspectRatio": 4 / 3}, (320, 240, "crop-and-scale")),
        ({"width": {"min": 700}, "resizeMode": {"exact": "none"}}, (1280, 720, "none")),
        ({"height": {"exact": 100}, "aspectRatio": {"exact": 2.0}}, (200, 100, "crop-and-scale")),
        ({"advanced": [{"width": 99999}, {"height": 720}]}, (1280, 720, "none")),
        ({"advanced": [{"width": {"min": 1024, "max": 800}}]}, (640, 480, "none")),
        ({"sampleRate": {"exact": 1}}, (640, 480, "none")),
    ],
)
async def test_the_nearest_size_is_chosen(wish: dict[str, Any], size: tuple[int, int, str]) -> None:
    chosen = await settings_for({"video": wish})
    assert (chosen.width, chosen.height, chosen.resizeMode) == size


@pytest.mark.parametrize(
    ("kind", "wish", "blamed"),
    [
        ("video", {"width": {"min": 5000}}, "width"),
        ("video", {"width": {"exact": 639}, "resizeMode": {"exact": "none"}}, "width"),
        ("video", {"facingMode": {"exact": "left"}}, "facingMode"),
        ("video", {"facingMode": {"exact": ""}}, "facingMode"),
        ("video", {"frameRate": {"min": 61}}, "frameRate"),
        ("video", {"deviceId": {"exact": "back"}}, "deviceId"),
        ("audio", {"sampleRate": {"max": 10}}, "sampleRate"),
        ("audio", {"channelCount": {"exact": 2}}, "channelCount"),
    ],
)
async def test_what_cannot_be_had_is_named(kind: str, wish: dict[str, Any], blamed: str) -> None:
    with pytest.raises(OverconstrainedError) as caught:
        await settings_for({kind: wish})
    assert caught.value.constraint == blamed


async def test_the_device_that_comes_nearest_is_opened() -> None:
    front, back = camera(), camera("back", "environment")
    assert (await settings_for({"video": {"facingMode": "environment"}}, front, back)).deviceId == "back"
    assert (await settings_for({"video": {"deviceId": ["back", "third"]}}, front, back)).deviceId == "back"
    assert (await settings_for({"video": {"deviceId": {"exact": "front"}}}, front, back)).deviceId == "front"


async def test_an_exact_boolean_is_kept_and_an_ideal_one_wished() -> None:
    assert (await settings_for({"audio": {"echoCancellation": False}})).echoCancellation is False
    assert (await settings_for({"audio": {"echoCancellation": {"exact": False}}})).echoCancellation is False
    assert (await settings_for({"audio": {"sampleRate": 1}})).sampleRate == 8000


async def test_constraints_that_may_not_rule_devices_out_are_refused() -> None:
    with pytest.raises(TypeError, match="backgroundBlur"):
        await settings_for({"video": {"backgroundBlur": {"exact": True}}})


async def test_a_device_that_does_not_open_closes_the_others() -> None:
    sound, picture = microphone(), camera()
    picture.error = NotAllowedError("the user has said no")
    with pytest.raises(NotAllowedError):
        await MediaDevices([sound, picture]).getUserMedia(audio=True, video=True)
    assert sound.open_count == 0


async def test_a_track_of_a_device_takes_other_settings_later_or_stays_as_it_is() -> None:
    stream = await MediaDevices([camera()]).getUserMedia(video=True)
    (track,) = stream.getVideoTracks()
    assert track.getCapabilities()["deviceId"] == "front"
    await track.applyConstraints(width=320, height=240)
    assert (track.getSettings().width, track.getSettings().height) == (320, 240)
    with pytest.raises(OverconstrainedError):
        await track.applyConstraints(width={"min": 2000})
    assert track.getSettings().width == 320
    assert track.getConstraints() == {"width": 320, "height": 240}


async def test_a_stopped_track_tells_no_more_than_which_device_it_was() -> None:
    device = camera()
    stream = await MediaDevices([device]).getUserMedia(video=True)
    (track,) = stream.getVideoTracks()
    clone = track.clone()
    assert clone.getSettings() == track.getSettings()
    track.stop()
    assert track.getSettings() == {"deviceId": "front", "groupId": "box", "facingMode": "user"}
    assert device.open_count == 1
    clone.stop()
    assert device.open_count == 0


async def test_nothing_is_found_out_before_a_task_has_run() -> None:
    settled: list[object] = []
    promise = MediaDevices([camera()]).getUserMedia(video=True)
    promise.upon(lambda stream, error: settled.append(stream))
    assert settled == []
    stream = await promise
    assert isinstance(stream.getTracks()[0], MediaStreamTrack)


def test_the_constraints_that_are_understood_are_all_true() -> None:
    supported = mediaDevices.getSupportedConstraints()
    assert set(supported.values()) == {True}
    assert {"width", "deviceId", "echoCancellation", "resizeMode"} <= set(supported)


def test_an_overconstrained_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(OverconstrainedError("width", "too wide")))
    assert (error.constraint, error.message, error.name, error.code) == ("width", "too wide", "OverconstrainedError", 0)


def test_a_device_change_event_takes_devices_only() -> None:
    info = InputDeviceInfo(camera())
    assert DeviceChangeEvent("devicechange", {"devices": [info]}).devices == (info,)
    assert DeviceChangeEvent("devicechange").devices == ()
    with pytest.raises(TypeError):
        DeviceChangeEvent("devicechange", {"devices": ["camera"]})
