"""Cameras and microphones: navigator.mediaDevices (Media Capture and Streams, sections 9.2 and 10.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from peerline.errors import NotFoundError
from peerline.eventloop import promising, queue_task
from peerline.events import EventHandler, EventTarget
from peerline.jobs import Promise
from peerline.media.constraints import INHERENT_PROPERTIES, MediaStreamConstraints, MediaTrackConstraints
from peerline.media.device import InputDevice
from peerline.media.device_info import InputDeviceInfo, MediaDeviceInfo
from peerline.media.fitness import is_required
from peerline.media.overconstrained import OverconstrainedError
from peerline.media.select_settings import select, wishes_of
from peerline.media.settings import MediaTrackSupportedConstraints
from peerline.media.stream import MediaStream
from peerline.media.track import MediaStreamTrack

Kind = Literal["audio", "video"]


class MediaDevices(EventTarget):
    """`mediaDevices` is the one of this computer. Until Peerline captures, it has none: give it `inputs` of your own.

    A program has the rights of its user: devices show their names and ids before the first getUserMedia.
    """

    ondevicechange = EventHandler("devicechange")

    def __init__(self, inputs: Sequence[InputDevice] = ()) -> None:
        self._inputs = list(inputs)

    @promising
    async def enumerateDevices(self) -> list[MediaDeviceInfo]:
        """All devices: microphones, then cameras, the default ones first."""
        await _a_task()
        kinds: tuple[Kind, ...] = ("audio", "video")
        return [InputDeviceInfo(device) for kind in kinds for device in self._of(kind)]

    def getSupportedConstraints(self) -> MediaTrackSupportedConstraints:
        """The constraints that getUserMedia and applyConstraints understand."""
        return MediaTrackSupportedConstraints()

    @promising
    async def getUserMedia(self, constraints: Any = None, /, **members: Any) -> MediaStream:
        """`await mediaDevices.getUserMedia(audio=True, video={"width": 1280})`: a stream with a track for each.

        Rejects with NotFoundError (no such device), OverconstrainedError (none that satisfies what is asked),
        NotAllowedError, NotReadableError (in use by another program), and with TypeError if neither is asked for.
        """
        given = MediaStreamConstraints(constraints, **members)
        asked: dict[Kind, MediaTrackConstraints] = {}
        kinds: tuple[Kind, ...] = ("audio", "video")
        for kind in kinds:
            wanted = given[kind]
            if wanted is not False:
                asked[kind] = MediaTrackConstraints() if wanted is True else wanted
                _check_required(kind, asked[kind])
        if not asked:
            raise TypeError("getUserMedia is asked for audio, video or both")
        await _a_task()
        chosen = {kind: self._choose(kind, wanted) for kind, wanted in asked.items()}
        tracks: list[MediaStreamTrack] = []
        try:
            for kind, device in chosen.items():
                track = MediaStreamTrack(kind, source=await device.open())
                tracks.append(track)
                track._apply(asked[kind])
        except BaseException:
            for track in tracks:
                track.stop()
            raise
        return MediaStream(tracks)

    def _of(self, kind: Kind) -> list[InputDevice]:
        return [device for device in self._inputs if device.kind == kind]

    def _choose(self, kind: Kind, wanted: MediaTrackConstraints) -> InputDevice:
        """The device that comes nearest to what is asked."""
        devices = self._of(kind)
        if not devices:
            what = "microphone" if kind == "audio" else "camera"
            raise NotFoundError(
                f"there is no {what} here",
                hint="Peerline does not capture yet: subclass MediaStreamTrack and give it to addTrack.",
            )
        nearest: InputDevice | None = None
        least = float("inf")
        failure: OverconstrainedError | None = None
        sets = [wanted, *wanted.get("advanced", ())]
        for device in devices:
            try:
                _, distance = select(device.choices(sets), wanted, kind)
            except OverconstrainedError as error:
                # A device that is ruled out by its name says nothing about what others can do.
                if failure is None or failure.constraint in INHERENT_PROPERTIES:
                    failure = error
                continue
            if nearest is None or distance < least:
                nearest, least = device, distance
        if nearest is None:
            assert failure is not None
            raise failure
        return nearest


def _check_required(kind: Kind, wanted: MediaTrackConstraints) -> None:
    """Not every constraint may rule devices out (section 10.2, "allowed required constraints")."""
    for name in ("voiceIsolation", "backgroundBlur"):
        if name in wishes_of(wanted, kind) and is_required(wanted[name]):
            raise TypeError(f"getUserMedia takes no required {name}: use applyConstraints, or an ideal value")


async def _a_task() -> None:
    """Go on in a task: nothing is found out at once."""
    reached: Promise[None] = Promise("a task")
    queue_task("media", reached.resolve)
    await reached


mediaDevices = MediaDevices()
