"""The devices of this computer, and those that stand in for them (Media Capture and Streams; Screen Capture)."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("av", reason="devices need PyAV: pip install 'peerline[media]'")

import av
import numpy as np

from media.tracks import take, threads, threads_are_gone, until
from peerline import DeviceChangeEvent, MediaDevices, MediaStreamTrack, OverconstrainedError
from peerline.errors import NotAllowedError, NotFoundError, NotReadableError, NotSupportedError
from peerline.media import CameraMode, MediaTrackSettings, VideoFrame, devices
from peerline.media.sources import TestCamera, TestMicrophone, av_pictures, camera, device_watch, sound_devices, v4l2
from peerline.media.sources.fitting import Fitter, fitted


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """After each test no thread of a source runs."""
    yield
    await threads_are_gone()


async def tracks_of(constraints: Any) -> list[MediaStreamTrack]:
    stream = await MediaDevices([TestCamera(), TestMicrophone()]).getUserMedia(constraints)
    return stream.getTracks()


# Test devices ------------------------------------------------------------------------------------------


async def test_test_devices_are_listed_with_what_they_can_do() -> None:
    here = MediaDevices()
    here.inputs = [TestCamera(), TestMicrophone()]
    microphone, picture = await here.enumerateDevices()
    assert (microphone.kind, picture.kind) == ("audioinput", "videoinput")
    assert microphone.groupId == picture.groupId
    can = picture.getCapabilities()  # type: ignore[attr-defined]
    assert (can["width"]["max"], can["height"]["max"], can["frameRate"]["max"]) == (1920, 1080, 60)
    assert microphone.getCapabilities()["channelCount"] == {"min": 1, "max": 2}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("wish", "size", "rate"),
    [
        (True, (640, 480), 30),
        ({"width": 1280, "height": 720}, (1280, 720), 30),
        ({"width": {"exact": 1920}, "frameRate": {"min": 60}}, (1920, 1080), 60),
        ({"width": {"exact": 101}, "height": {"exact": 77}}, (101, 77), 30),
        ({"width": 320, "height": 240, "frameRate": {"max": 10}}, (320, 240), 10),
    ],
)
async def test_pictures_have_the_size_and_rate_of_the_settings(wish: Any, size: tuple[int, int], rate: float) -> None:
    (track,) = await tracks_of({"video": wish})
    settings = track.getSettings()
    frames = await take(track, 5)
    track.stop()
    assert {(frame.width, frame.height) for frame in frames} == {size} == {(settings.width, settings.height)}
    assert settings.frameRate == rate
    steps = [rate * (after.time_s - before.time_s) for before, after in itertools.pairwise(frames)]
    assert steps == pytest.approx([round(step) for step in steps], abs=1e-6)
    assert min(steps) > 0.5


async def test_other_settings_are_followed_while_it_runs() -> None:
    (track,) = await tracks_of({"video": {"width": 320, "height": 240}})
    reader = track.frames()
    assert (await anext(reader)).width == 320
    await track.applyConstraints(width={"exact": 1280}, height={"exact": 720}, frameRate=60)
    async with asyncio.timeout(10):
        async for frame in reader:
            if frame.width == 1280:
                break
    assert frame.height == 720
    with pytest.raises(OverconstrainedError):
        await track.applyConstraints(width={"min": 5000})
    assert (await anext(reader)).width == 1280
    reader.close()
    track.stop()


async def test_clones_of_one_camera_have_sizes_of_their_own() -> None:
    (track,) = await tracks_of({"video": {"width": 1280, "height": 720}})
    clone = track.clone()
    await clone.applyConstraints(width=200, height=200, frameRate=15)
    large, small = await asyncio.gather(take(track, 8), take(clone, 4))
    assert {(frame.width, frame.height) for frame in large} == {(1280, 720)}
    assert {(frame.width, frame.height) for frame in small} == {(200, 200)}
    track.stop()
    assert (await take(clone, 1))[0].width == 200
    clone.stop()


async def test_a_microphone_gives_as_many_channels_as_are_asked_for() -> None:
    (mono,) = await tracks_of({"audio": True})
    (stereo,) = await tracks_of({"audio": {"channelCount": {"exact": 2}}})
    one, two = await asyncio.gather(take(mono, 5), take(stereo, 5))
    mono.stop()
    stereo.stop()
    assert {frame.samples.shape for frame in one} == {(960, 1)}
    assert {frame.samples.shape for frame in two} == {(960, 2)}
    assert mono.getSettings().get("sampleRate") is None
    assert max(np.abs(frame.samples).max() for frame in one) > 1000


@pytest.mark.parametrize(
    ("constraints", "blamed"),
    [
        ({"video": {"width": {"exact": 4000}}}, "width"),
        ({"video": {"facingMode": {"exact": "environment"}}}, "facingMode"),
        ({"audio": {"sampleRate": {"exact": 44100}}}, "sampleRate"),
        ({"audio": {"echoCancellation": {"exact": True}}}, "echoCancellation"),
    ],
)
async def test_what_a_test_device_cannot_do_is_refused(constraints: Any, blamed: str) -> None:
    with pytest.raises(OverconstrainedError) as caught:
        await tracks_of(constraints)
    assert caught.value.constraint == blamed


async def test_a_disabled_camera_is_black_in_its_size() -> None:
    (track,) = await tracks_of({"video": {"width": 320, "height": 240}})
    track.enabled = False
    (frame,) = await take(track, 1)
    track.stop()
    assert (frame.width, frame.height, frame.to_ndarray().max()) == (320, 240, 0)


# Fitting -----------------------------------------------------------------------------------------------


def halves(width: int, height: int) -> VideoFrame:
    """Black at the left, white at the right."""
    array = np.zeros((height, width, 3), np.uint8)
    array[:, width // 2 :] = 255
    return VideoFrame.from_ndarray(array, time_s=3, rotation=90)


@pytest.mark.parametrize("size", [(640, 480), (320, 180), (100, 400), (641, 33), (1, 1), (2000, 1000)])
@pytest.mark.parametrize("native", [(640, 480), (101, 77), (2, 2)])
def test_pictures_are_cropped_in_the_middle_and_scaled(native: tuple[int, int], size: tuple[int, int]) -> None:
    frame = fitted(halves(*native), *size)
    assert (frame.width, frame.height, frame.time_s, frame.rotation) == (*size, 3, 90)
    if min(*size, *native) > 30:
        shown = frame.to_ndarray("gray")
        assert shown[size[1] // 2, size[0] // 4] < 40
        assert shown[size[1] // 2, size[0] * 3 // 4] > 215


def test_a_picture_that_fits_is_left_alone() -> None:
    frame = halves(64, 48)
    assert fitted(frame, 64, 48) is frame


@pytest.mark.parametrize(("rate", "count"), [(30.0, 90), (15.0, 45), (10.0, 30), (7.0, 21), (1.0, 3), (60.0, 90)])
def test_a_lower_rate_leaves_out_pictures_evenly(rate: float, count: int) -> None:
    fitter = Fitter()
    settings = MediaTrackSettings(frameRate=rate, width=64, height=48)
    array = np.zeros((48, 64, 3), np.uint8)
    shown = [fitter.fit(VideoFrame.from_ndarray(array, time_s=index / 30), settings, 30.0) for index in range(90)]
    assert abs(sum(frame is not None for frame in shown) - count) <= 1


# Of this computer --------------------------------------------------------------------------------------


async def test_there_are_no_devices_where_there_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(v4l2, "NODES", tmp_path / "nothing")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    here = MediaDevices()
    assert here.inputs is None
    assert await here.enumerateDevices() == []
    with pytest.raises(NotFoundError) as caught:
        await here.getUserMedia(video=True)
    assert "TestCamera" in str(caught.value.hint)


def answer(request: int, about: Any, *, can: int = 0x8420_0001) -> None:
    """As a camera: YUYV in two sizes, the larger one slowly; MJPG in both, fast."""
    if request == v4l2.QUERY_CAPABILITY:
        about.card, about.bus_info, about.capabilities, about.device_caps = b"Some camera", b"usb-1", can, can
    elif request == v4l2.ENUMERATE_FORMATS:
        formats = (b"YUYV", b"MJPG", b"????")
        check(about.index < len(formats))
        about.pixelformat = int.from_bytes(formats[about.index], "little")
    elif request == v4l2.ENUMERATE_SIZES:
        check(about.index < 2)
        about.type = 1
        about.numbers[0], about.numbers[1] = ((1280, 720), (640, 480))[about.index]
    else:
        assert request == v4l2.ENUMERATE_INTERVALS
        is_fast = about.width == 640 or about.pixelformat == int.from_bytes(b"MJPG", "little")
        rates = (30, 15) if is_fast else (10,)
        check(about.index < len(rates))
        about.type = 1
        about.numbers[0], about.numbers[1] = 1, rates[about.index]


def check(is_there: bool) -> None:
    if not is_there:
        raise OSError("no such entry")


@pytest.fixture
def one_camera(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A camera whose node is /dev/null."""
    (tmp_path / "null").mkdir()
    monkeypatch.setattr(v4l2, "NODES", tmp_path)
    monkeypatch.setattr("fcntl.ioctl", lambda device, request, about: answer(request, about))


@pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")
def test_linux_is_asked_with_its_own_numbers() -> None:
    asked = (v4l2.QUERY_CAPABILITY, v4l2.ENUMERATE_FORMATS, v4l2.ENUMERATE_SIZES, v4l2.ENUMERATE_INTERVALS)
    assert [hex(number) for number in asked] == ["0x80685600", "0xc0405602", "0xc02c564a", "0xc034564b"]
    assert ctypes.sizeof(v4l2._Capability) == 104


@pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")
async def test_a_camera_is_found_with_its_modes(one_camera: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    (found,) = v4l2.find_cameras()
    assert found.path == "/dev/null"
    assert found.formats == {
        CameraMode(1280, 720, 10): "yuyv422",
        CameraMode(640, 480, 30): "yuyv422",
        CameraMode(640, 480, 15): "yuyv422",
        CameraMode(1280, 720, 30): "mjpeg",
        CameraMode(1280, 720, 15): "mjpeg",
    }
    (info,) = await MediaDevices().enumerateDevices()
    assert (info.kind, info.label) == ("videoinput", "Some camera")
    assert len(info.deviceId) == 32
    assert info.deviceId == (await MediaDevices().enumerateDevices())[0].deviceId


@pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")
@pytest.mark.parametrize("can", [0x84A0_0000, 0x8000_0001, 0x0000_0000])
def test_nodes_that_give_no_pictures_are_no_cameras(
    one_camera: None, can: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.ioctl", lambda device, request, about: answer(request, about, can=can))
    assert list(v4l2.find_cameras()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")
async def test_a_camera_that_cannot_be_opened_says_why(one_camera: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(NotReadableError, match="camera"):
        await MediaDevices().getUserMedia(video=True)


@pytest.mark.skipif("lavfi" not in av.formats_available, reason="PyAV is built without lavfi, which stands in here")
@pytest.mark.skipif(sys.platform != "linux", reason="Video for Linux")
async def test_a_camera_captures_in_the_mode_that_is_needed(one_camera: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    opened: list[dict[str, str]] = []
    closed: list[object] = []

    class Filmed(av_pictures.AvPictures):
        def __init__(self, address: str, format: str, options: dict[str, str], what: str) -> None:
            opened.append(options)
            graph = f"testsrc=size={options['video_size']}:rate={options['framerate']},realtime"
            super().__init__(graph, "lavfi", {}, what)

        def close(self) -> None:
            closed.append(self)
            super().close()

    monkeypatch.setattr(camera, "AvPictures", Filmed)
    stream = await MediaDevices().getUserMedia(video=True)
    (track,) = stream.getTracks()
    assert [(frame.width, frame.height) for frame in await take(track, 3)] == [(640, 480)] * 3
    await track.applyConstraints(width={"exact": 1280}, height={"exact": 720}, frameRate={"exact": 15})
    assert [(frame.width, frame.height) for frame in await take(track, 3)] == [(1280, 720)] * 3
    # Pictures of the mode before are scaled until the other one has begun.
    await until(lambda: len(opened) == 2)
    # It captures on, as long as a track of it lives.
    assert threads() == ["peerline-Some camera"]
    track.stop()
    await until(lambda: len(set(map(id, closed))) == 2)
    assert [one["input_format"] for one in opened] == ["yuyv422", "mjpeg"]
    assert opened[1] == {"video_size": "1280x720", "framerate": "15.0", "input_format": "mjpeg"}


@pytest.mark.skipif(not Path("/sys/class/video4linux").exists(), reason="there is no camera, nor v4l2loopback")
async def test_a_real_camera_gives_pictures() -> None:
    try:
        stream = await MediaDevices().getUserMedia(video=True)
    except (NotFoundError, NotAllowedError, NotReadableError) as error:
        pytest.skip(f"no camera can be used here: {error}")
    (track,) = stream.getTracks()
    settings = track.getSettings()
    (frame,) = await take(track, 1)
    track.stop()
    assert (frame.width, frame.height) == (settings.width, settings.height)


# Sound -------------------------------------------------------------------------------------------------


class PretendedStream:
    """What of a stream of sounddevice is used."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.closed = False

    def start(self) -> None:
        """The test makes the sound."""

    def close(self) -> None:
        self.closed = True


class PretendedPortAudio:
    """What of sounddevice is used, with one microphone and one loudspeaker."""

    class PortAudioError(Exception):
        pass

    default = SimpleNamespace(device=(0, 1))

    def __init__(self) -> None:
        self.streams: list[PretendedStream] = []
        self.is_busy = False

    def InputStream(self, **options: Any) -> PretendedStream:
        if self.is_busy:
            raise self.PortAudioError("Device unavailable")
        self.streams.append(PretendedStream(options))
        return self.streams[-1]

    @staticmethod
    def query_hostapis() -> Any:
        alsa = {"name": "ALSA", "devices": [0, 1], "default_input_device": 0, "default_output_device": 1}
        return ({"name": "OSS", "devices": [], "default_input_device": -1, "default_output_device": -1}, alsa)

    @staticmethod
    def query_devices(number: int) -> Any:
        inputs, outputs = ((2, 0), (0, 2))[number]
        return {
            "name": ("Desk microphone", "Loudspeakers")[number],
            "max_input_channels": inputs,
            "max_output_channels": outputs,
            "default_samplerate": 48000.0,
            "default_low_input_latency": 0.01,
        }


@pytest.fixture
def sound_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PretendedPortAudio:
    card = PretendedPortAudio()
    monkeypatch.setattr(v4l2, "NODES", tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", card)
    return card


async def test_microphones_and_loudspeakers_are_listed(sound_card: PretendedPortAudio) -> None:
    found = await MediaDevices().enumerateDevices()
    assert [(info.kind, info.label) for info in found] == [
        ("audioinput", "Desk microphone"),
        ("audiooutput", "Loudspeakers"),
    ]


async def test_what_a_microphone_hears_comes_to_its_tracks_until_they_are_stopped(
    sound_card: PretendedPortAudio,
) -> None:
    (track,) = (await MediaDevices().getUserMedia(audio=True)).getTracks()
    (stream,) = sound_card.streams
    reader = track.frames()
    hear = stream.options["callback"]
    piece = np.full((960, 2), 1000, np.int16)
    for _ in range(3):
        await asyncio.to_thread(hear, piece, 960, None, None)
    frames = [await anext(reader) for _ in range(3)]
    assert {frame.samples.shape for frame in frames} == {(960, 1)}
    assert frames[1].timestamp - frames[0].timestamp == 960
    await track.applyConstraints(channelCount=2)
    hear(piece, 960, None, None)
    assert (await anext(reader)).channels == 2
    track.stop()
    await until(lambda: stream.closed)


async def test_a_microphone_that_is_unplugged_ends_its_tracks(sound_card: PretendedPortAudio) -> None:
    (track,) = (await MediaDevices().getUserMedia(audio=True)).getTracks()
    over = asyncio.Event()
    track.onended = lambda event: over.set()
    threading.Thread(target=sound_card.streams[0].options["finished_callback"]).start()
    async with asyncio.timeout(5):
        await over.wait()


async def test_a_busy_microphone_cannot_be_read(sound_card: PretendedPortAudio) -> None:
    sound_card.is_busy = True
    with pytest.raises(NotReadableError, match="unavailable"):
        await MediaDevices().getUserMedia(audio=True)


def test_without_portaudio_there_are_no_sound_devices_and_the_error_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert sound_devices.find_sound_devices() == []
    with pytest.raises(NotSupportedError) as caught:
        sound_devices.portaudio()
    assert "pip install" in str(caught.value.hint)


# Coming and going --------------------------------------------------------------------------------------


async def test_devicechange_is_fired_when_something_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_watch, "PERIOD_S", 0.01)
    plugged_in: list[str] = []
    looks: list[int] = []

    def look() -> list[str]:
        looks.append(1)
        return list(plugged_in)

    monkeypatch.setattr(devices, "what_is_plugged_in", look)
    here = MediaDevices()
    fired: asyncio.Queue[Any] = asyncio.Queue()
    here.ondevicechange = fired.put_nowait
    await until(lambda: len(looks) > 3)
    assert fired.empty()
    plugged_in.append("video0")
    async with asyncio.timeout(5):
        event = await fired.get()
    assert isinstance(event, DeviceChangeEvent)
    assert event.type == "devicechange"
    here.ondevicechange = None
    plugged_in.append("video1")
    await asyncio.sleep(0.05)  # nobody looks any more, so that nothing tells when it would have been
    assert fired.empty()


async def test_devicechange_is_fired_for_devices_of_ones_own() -> None:
    here = MediaDevices([TestCamera()])
    fired: asyncio.Queue[Any] = asyncio.Queue()
    here.addEventListener("devicechange", fired.put_nowait)
    here.inputs = [TestCamera(), TestMicrophone()]
    async with asyncio.timeout(5):
        event = await fired.get()
    assert [info.kind for info in event.devices] == ["audioinput", "videoinput"]
    here.removeEventListener("devicechange", fired.put_nowait)


def test_a_listener_that_was_added_before_the_loop_hears_after_the_first_question() -> None:
    here = MediaDevices([])
    fired: list[Any] = []
    here.ondevicechange = fired.append

    async def program() -> None:
        await here.enumerateDevices()
        here.inputs = [TestCamera()]
        await until(lambda: fired)

    asyncio.run(program())
    assert len(fired) == 1


# Screens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"video": False},
        {"video": {"width": {"min": 100}}},
        {"video": {"frameRate": {"exact": 5}}},
        {"video": {"advanced": [{"width": 100}]}},
        {"video": True, "audio": {"channelCount": {"exact": 2}}},
        {"audio": {"advanced": []}},
        5,
    ],
)
async def test_what_may_not_be_asked_of_a_screen_is_a_type_error(options: Any) -> None:
    with pytest.raises(TypeError):
        await MediaDevices().getDisplayMedia(options)


async def test_without_a_display_there_is_nothing_to_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(NotFoundError, match="DISPLAY"):
        await MediaDevices().getDisplayMedia()
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(NotFoundError):
        await MediaDevices().getDisplayMedia({"video": True})


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display of 800x600 without a screen."""
    program = shutil.which("Xvfb")
    if program is None or "x11grab" not in av.formats_available:
        pytest.skip("Xvfb is not installed, or PyAV is built without x11grab")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            name = number.readline().strip()
        if not name:
            pytest.skip("Xvfb does not start here")
        yield f":{name}"
    finally:
        server.terminate()
        server.wait(10)


async def test_a_screen_is_captured_in_its_size(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    stream = await MediaDevices().getDisplayMedia()
    (track,) = stream.getTracks()
    assert (track.kind, track.label) == ("video", "Screen")
    frames = await take(track, 3)
    track.stop()
    assert {(frame.width, frame.height) for frame in frames} == {(800, 600)}


@pytest.mark.parametrize(
    ("wish", "size"),
    [
        ({"width": 400}, (400, 300)),
        ({"height": {"max": 150}}, (200, 150)),
        ({"width": {"max": 400}, "height": {"max": 400}}, (400, 300)),
    ],
)
async def test_a_screen_is_scaled_in_its_shape(
    wish: Any, size: tuple[int, int], display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    (track,) = (await MediaDevices().getDisplayMedia(video={**wish, "frameRate": {"max": 10}})).getTracks()
    settings = track.getSettings()
    frames = await take(track, 2)
    track.stop()
    assert (settings.width, settings.height, settings.frameRate) == (*size, 10)
    assert {(frame.width, frame.height) for frame in frames} == {size}
