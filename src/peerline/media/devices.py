"""Cameras, microphones, screens: navigator.mediaDevices (Media Capture and Streams, 9.2 and 10.2; Screen Capture)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from peerline.errors import NotFoundError
from peerline.eventloop import promise, promising, queue_task
from peerline.events import EventHandler, EventTarget, fire
from peerline.jobs import Promise
from peerline.media.constraints import INHERENT_PROPERTIES, MediaStreamConstraints, MediaTrackConstraints
from peerline.media.device import InputDevice
from peerline.media.device_info import DeviceChangeEvent, InputDeviceInfo, MediaDeviceInfo
from peerline.media.fitness import is_required
from peerline.media.overconstrained import OverconstrainedError
from peerline.media.select_settings import select, wishes_of
from peerline.media.settings import MediaTrackSupportedConstraints
from peerline.media.sources.computer import Devices, find_devices, what_is_plugged_in
from peerline.media.sources.device_watch import DeviceWatch
from peerline.media.sources.display_options import DisplayMediaStreamOptions
from peerline.media.sources.screen import Screen
from peerline.media.stream import MediaStream
from peerline.media.track import MediaStreamTrack

Kind = Literal["audio", "video"]

KINDS: tuple[Kind, ...] = ("audio", "video")


class MediaDevices(EventTarget):
    """The devices of this computer, or `inputs` of your own: `mediaDevices.inputs = [TestCamera(), TestMicrophone()]`.

    A program has the rights of its user: devices show their names and ids before the first getUserMedia.
    `devicechange` is fired when devices have come or gone.
    """

    ondevicechange = EventHandler("devicechange")

    def __init__(self, inputs: Sequence[InputDevice] | None = None) -> None:
        self._inputs = None if inputs is None else list(inputs)
        self._watch = DeviceWatch(self._state, self._tell_of_change)

    @property
    def inputs(self) -> Sequence[InputDevice] | None:
        """Cameras and microphones in place of those of this computer; None for these."""
        return self._inputs

    @inputs.setter
    def inputs(self, inputs: Sequence[InputDevice] | None) -> None:
        self._inputs = None if inputs is None else list(inputs)
        self._watch.look()

    @promising
    async def enumerateDevices(self) -> list[MediaDeviceInfo]:
        """All devices: microphones, cameras, loudspeakers; of each kind the default one first."""
        await _a_task()
        self._watch_if_heard()
        return _infos_of(await self._find())

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
        for kind in KINDS:
            wanted = given[kind]
            if wanted is not False:
                asked[kind] = MediaTrackConstraints() if wanted is True else wanted
                _check_required(kind, asked[kind])
        if not asked:
            raise TypeError("getUserMedia is asked for audio, video or both")
        await _a_task()
        self._watch_if_heard()
        there = (await self._find()).inputs
        chosen = {kind: _choose(there, kind, wanted) for kind, wanted in asked.items()}
        return await _opened(chosen, asked)

    @promising
    async def getDisplayMedia(self, options: Any = None, /, **members: Any) -> MediaStream:
        """`await mediaDevices.getDisplayMedia(video={"frameRate": 5})`: the X11 display of $DISPLAY, without its sound.

        Rejects with NotFoundError if there is none, NotAllowedError or NotReadableError if it cannot be captured,
        OverconstrainedError for a `max` that no picture keeps, and with TypeError if video is not wanted, and for
        `min`, `exact` and `advanced`: what is shown is not chosen by constraints.
        """
        given = DisplayMediaStreamOptions(options, **members)
        given.check()
        await _a_task()
        wanted = MediaTrackConstraints() if given["video"] is True else given["video"]
        screen = await Screen.find()
        return await _opened({"video": screen}, {"video": wanted})

    # Inside -------------------------------------------------------------------------------------------

    async def _find(self) -> Devices:
        return await asyncio.to_thread(find_devices) if self._inputs is None else Devices(self._inputs, [])

    def _add(self, listener: Any) -> None:
        super()._add(listener)
        self._watch_if_heard()

    def _remove(self, listener: Any) -> None:
        super()._remove(listener)
        self._watch_if_heard()

    def _watch_if_heard(self) -> None:
        if self._is_heard("devicechange"):
            self._watch.begin()
        else:
            self._watch.end()

    def _state(self) -> object:
        return what_is_plugged_in() if self._inputs is None else [id(device) for device in self._inputs]

    def _tell_of_change(self) -> None:
        promise(self._fire_change(), what="a change of devices")

    async def _fire_change(self) -> None:
        there = _infos_of(await self._find())
        queue_task("media", fire, self, DeviceChangeEvent("devicechange", {"devices": there}))


def _infos_of(there: Devices) -> list[MediaDeviceInfo]:
    return [*(InputDeviceInfo(device) for kind in KINDS for device in _of(kind, there.inputs)), *there.outputs]


def _of(kind: Kind, devices: Sequence[InputDevice]) -> list[InputDevice]:
    return [device for device in devices if device.kind == kind]


def _choose(there: Sequence[InputDevice], kind: Kind, wanted: MediaTrackConstraints) -> InputDevice:
    """The device that comes nearest to what is asked."""
    devices = _of(kind, there)
    if not devices:
        what = "microphone" if kind == "audio" else "camera"
        raise NotFoundError(
            f"there is no {what} here",
            hint="To try without one: mediaDevices.inputs = [TestCamera(), TestMicrophone()], both of "
            "peerline.media.sources; or give addTrack a MediaStreamTrack of your own.",
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


async def _opened(chosen: dict[Kind, InputDevice], asked: dict[Kind, MediaTrackConstraints]) -> MediaStream:
    """A stream with a track of each, set to what was asked; all are closed again if one fails."""
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
