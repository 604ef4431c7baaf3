"""The cameras, microphones and loudspeakers of this computer."""

from __future__ import annotations

import os
from typing import NamedTuple

from peerline.media.device import InputDevice
from peerline.media.device_info import MediaDeviceInfo
from peerline.media.sources.camera import cameras
from peerline.media.sources.microphone import Microphone
from peerline.media.sources.sound_devices import cards, find_sound_devices
from peerline.media.sources.v4l2 import NODES

__all__ = ["Devices", "find_devices", "what_is_plugged_in"]


class Devices(NamedTuple):
    """`outputs` are loudspeakers; of each kind the default one comes first."""

    inputs: list[InputDevice]
    outputs: list[MediaDeviceInfo]


def find_devices() -> Devices:
    """All that there are now. It may take a while: devices are opened and asked."""
    sound = find_sound_devices()
    microphones = [Microphone(found) for found in sound if found.input_channels > 0]
    loudspeakers = [
        MediaDeviceInfo("audiooutput", found.id, found.group, found.name)
        for found in sound
        if found.output_channels > 0
    ]
    return Devices([*microphones, *cameras()], loudspeakers)


def what_is_plugged_in() -> object:
    """Something that changes when devices come and go, and is looked up at once."""
    try:
        nodes = sorted(os.listdir(NODES))
    except OSError:
        nodes = []
    return nodes, cards()
