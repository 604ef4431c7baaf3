"""Peerline as the runner of the Web Platform Tests wants to see it: the W3C's names in one module, and test equipment.

Equipment is what a browser has, too, when it runs these tests: a pretended camera and microphone (Chromium's
`--use-fake-device-for-media-stream`), permissions that a test may set, and procedural tracks. They give
test patterns and tones. Nothing of what is tested is done here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import peerline
from peerline.errors import DOMException, NotAllowedError
from peerline.events import Event, EventTarget
from peerline.media import (
    CameraMode,
    InputDevice,
    MediaDevices,
    MediaStream,
    MediaStreamTrack,
    MediaTrackCapabilities,
    MediaTrackSettings,
    Source,
    VideoFrame,
)
from peerline.media.sources import TestPattern, Tone

Kind = Literal["audio", "video"]

__all__ = ["DOMException", "Event", "EventTarget", "media_sink", "navigator", "noise_track", "set_permission"]

for _name in peerline.__all__:
    globals()[_name] = getattr(peerline, _name)

denied: set[str] = set()


class Opened:
    """What an opened device says of itself."""

    device: InputDevice

    def capabilities(self) -> MediaTrackCapabilities:
        return self.device.capabilities

    def choices(self, sets: Any) -> Any:
        return self.device.choices(sets)


class OpenedCamera(Opened, TestPattern):
    """Small pictures, so that encoding them leaves time for the tests."""

    def __init__(self, device: InputDevice) -> None:
        super().__init__(320, 240, 15)
        self.device, self.label = device, device.label


class OpenedMicrophone(Opened, Tone):
    """A tone."""

    def __init__(self, device: InputDevice) -> None:
        super().__init__()
        self.device, self.label = device, device.label


class PretendedDevice(InputDevice):
    """A device that opens if the test has not denied it."""

    permission: str
    possible: ClassVar[Mapping[str, Any]]

    @property
    def capabilities(self) -> MediaTrackCapabilities:
        return MediaTrackCapabilities(self.possible, deviceId=self.id, groupId=self.group)

    async def open(self) -> Source:
        if self.permission in denied:
            raise NotAllowedError(f"the test has denied the {self.permission}")
        return OpenedMicrophone(self) if self.kind == "audio" else OpenedCamera(self)


class Camera(PretendedDevice):
    kind: Kind = "video"
    permission = "camera"
    id, group, label = "camera-0", "box-0", "Pretended camera"
    modes = (CameraMode(640, 480, 30), CameraMode(320, 240, 30), CameraMode(1280, 720, 30), CameraMode(1920, 1080, 30))
    usual = MediaTrackSettings(facingMode="user")
    possible: ClassVar[Mapping[str, Any]] = {
        "width": {"min": 1, "max": 1920},
        "height": {"min": 1, "max": 1080},
        "aspectRatio": {"min": 1 / 1080, "max": 1920},
        "frameRate": {"min": 1, "max": 30},
        "facingMode": ["user"],
        "resizeMode": ["none", "crop-and-scale"],
    }


class Microphone(PretendedDevice):
    kind: Kind = "audio"
    permission = "microphone"
    id, group, label = "microphone-0", "box-0", "Pretended microphone"
    usual = MediaTrackSettings(
        sampleRate=48000,
        sampleSize=16,
        echoCancellation=True,
        autoGainControl=True,
        noiseSuppression=True,
        voiceIsolation=False,
        latency=0.01,
        channelCount=1,
    )
    possible: ClassVar[Mapping[str, Any]] = {
        "sampleRate": {"min": 8000, "max": 96000},
        "sampleSize": {"min": 16, "max": 16},
        "echoCancellation": [True, False, "all", "remote-only"],
        "autoGainControl": [True, False],
        "noiseSuppression": [True, False],
        "voiceIsolation": [True, False],
        "latency": {"min": 0.01, "max": 0.5},
        "channelCount": {"min": 1, "max": 2},
    }


class navigator:
    """What pages call `navigator`."""

    mediaDevices = MediaDevices([Microphone(), Camera()])


def noise_track(kind: Kind, width: int = 640, height: int = 480, signal: int | None = None) -> MediaStreamTrack:
    """In place of an oscillator or a canvas: a track with a source of its own."""
    source: Source = Tone() if kind == "audio" else Noise(width, height, signal)
    return MediaStreamTrack(kind, source=source)


class Noise(TestPattern):
    """Pictures; with `signal` there is a box of that gray from (10, 10) to (30, 30)."""

    def __init__(self, width: int, height: int, signal: int | None) -> None:
        super().__init__(width, height, 15, seed=signal or 0)
        self._luma = None if signal is None else round(16 + signal * 219 / 255)

    def deliver(self, *frames: Any) -> None:
        (frame,) = frames
        if self._luma is not None:
            pixels = frame.to_ndarray("yuv420p").copy()
            pixels[10:30, 10:30] = self._luma
            for plane, rows in _colour_rows(frame.width, frame.height):
                pixels[plane : plane + rows].reshape(2 * rows, -1)[5:15, 5:15] = 128
            frame = VideoFrame.from_ndarray(pixels, "yuv420p", time_s=frame.time_s)
        super().deliver(frame)


def _colour_rows(width: int, height: int) -> list[tuple[int, int]]:
    """Where the planes of colour begin, and how many rows of the array each has."""
    return [(height, height // 4), (height + height // 4, height // 4)]


class Player:
    """What stands behind <video> and <audio>: it wants the frames of a track."""

    def __init__(self, track: MediaStreamTrack, on_frame: Any) -> None:
        self._track, self._on_frame = track, on_frame
        track.attach_sink(self)

    def takes(self, codec: str) -> bool:
        return False

    def receive(self, frame: Any) -> None:
        if isinstance(frame, VideoFrame):
            picture = frame.to_i420()
            luma = memoryview(picture.planes[0])[20 * picture.planes[0].line_size + 20] if frame.height > 20 else 16
            self._on_frame("video", frame.width, frame.height, (luma - 16) * 255 / 219)
        else:
            self._on_frame("audio")

    def detach(self) -> None:
        self._track.detach_sink(self)


def media_sink(stream: MediaStream, on_frame: Any) -> Any:
    """`<video>.srcObject = stream`: tracks that come to it later are played, too."""
    players: dict[MediaStreamTrack, Player] = {}

    def update(_: object = None) -> None:
        for track in stream.getTracks():
            if track not in players:
                players[track] = Player(track, on_frame)

    def detach() -> None:
        stream.removeEventListener("addtrack", update)
        for player in players.values():
            player.detach()

    stream.addEventListener("addtrack", update)
    update()
    return detach


def set_permission(request: Mapping[str, Any]) -> None:
    """test_driver.set_permission."""
    name = request["descriptor"]["name"]
    if request["state"] == "denied":
        denied.add(name)
    else:
        denied.discard(name)


def _teach_blobs(runner: Any) -> None:
    """The runner knows blobs by a class of its own; ours are shown to it as such."""
    shown = runner.Bridge.enc

    def enc(self: Any, value: Any) -> Any:
        if isinstance(value, peerline.Blob):
            blob = runner.Blob(bytes(value))
            blob.type = value.type
            value = blob
        return shown(self, value)

    runner.Bridge.enc = enc


if hasattr(sys.modules["__main__"], "Bridge"):
    _teach_blobs(sys.modules["__main__"])
