"""What enumerateDevices tells of a device (Media Capture and Streams, sections 9.3 and 9.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from peerline.events import Event
from peerline.media.device import InputDevice
from peerline.media.settings import MediaTrackCapabilities
from peerline.webidl import interface, sequence

DeviceKind = Literal["audioinput", "audiooutput", "videoinput"]


class MediaDeviceInfo:
    """A device that can be played to, or captured (then it is an InputDeviceInfo)."""

    def __init__(self, kind: DeviceKind, device_id: str, group_id: str, label: str) -> None:
        self._kind: DeviceKind = kind
        self._device_id = device_id
        self._group_id = group_id
        self._label = label

    @property
    def deviceId(self) -> str:
        """To be given to getUserMedia."""
        return self._device_id

    @property
    def kind(self) -> DeviceKind:
        """ "audioinput", "videoinput" or "audiooutput"."""
        return self._kind

    @property
    def label(self) -> str:
        """Its name, for people."""
        return self._label

    @property
    def groupId(self) -> str:
        """The same for devices in one box: the camera of a monitor and its loudspeakers."""
        return self._group_id

    def toJSON(self) -> dict[str, str]:
        """A plain dictionary."""
        return {"deviceId": self.deviceId, "kind": self.kind, "label": self.label, "groupId": self.groupId}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._kind} {self._label!r} {self._device_id}>"


class InputDeviceInfo(MediaDeviceInfo):
    """A camera or microphone."""

    def __init__(self, device: InputDevice) -> None:
        kind: DeviceKind = "audioinput" if device.kind == "audio" else "videoinput"
        super().__init__(kind, device.id, device.group, device.label)
        self._device = device

    def getCapabilities(self) -> MediaTrackCapabilities:
        """What a track of it could be set to."""
        return MediaTrackCapabilities(self._device.capabilities)


class DeviceChangeEvent(Event):
    """Devices have come or gone: `DeviceChangeEvent("devicechange", {"devices": […]})`."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        given = self.members(eventInitDict, members).get("devices", ())
        self._devices = tuple(sequence(interface(MediaDeviceInfo))(given, "devices"))

    @property
    def devices(self) -> tuple[MediaDeviceInfo, ...]:
        """Those that are there now."""
        return self._devices

    @property
    def userInsertedDevices(self) -> tuple[MediaDeviceInfo, ...]:
        """Those that were plugged in while nobody was asked; none are known here."""
        return ()
