"""Microphones and loudspeakers of this computer, through PortAudio (optional: the package sounddevice)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakSet

from peerline.errors import NotSupportedError
from peerline.media.codecs.libraries import HINT
from peerline.media.sources.boxes import box_of

__all__ = ["SoundDevice", "cards", "find_sound_devices", "portaudio", "streams"]

CARDS = Path("/sys/class/sound")

streams: WeakSet[Any] = WeakSet()
"""Streams of PortAudio that are open. It finds devices once, when it is begun: begun anew it loses its streams."""

_known_cards: str | None = None


class SoundDevice(NamedTuple):
    """`number` is that of PortAudio, as long as nothing is plugged in or out."""

    number: int
    name: str
    id: str
    group: str
    input_channels: int
    output_channels: int
    rate: int
    latency_s: float


def portaudio() -> Any:
    """The module sounddevice. Raises NotSupportedError if it, or the library PortAudio, is not installed."""
    try:
        return import_module("sounddevice")
    except ModuleNotFoundError as error:
        raise NotSupportedError("microphones and loudspeakers need the package sounddevice", hint=HINT) from error
    except OSError as error:
        raise NotSupportedError(
            "microphones and loudspeakers need the library PortAudio", hint="on Debian: apt install libportaudio2"
        ) from error


def find_sound_devices() -> list[SoundDevice]:
    """Those of the usual sound system of this computer, the default ones first; none where nothing can be asked."""
    try:
        library = portaudio()
    except NotSupportedError:
        return []
    try:
        _look_again(library)
        return list(_devices(library))
    except library.PortAudioError:
        return []


def cards() -> str:
    """What changes when a sound card is plugged in or out."""
    try:
        return Path("/proc/asound/cards").read_text()
    except OSError:
        return ""


def _look_again(library: Any) -> None:
    """Let PortAudio find what was plugged in since it was begun, if nobody uses it now."""
    global _known_cards
    now = cards()
    if _known_cards is not None and _known_cards != now:
        if any(not stream.closed for stream in streams):
            return
        library._terminate()
        library._initialize()
    _known_cards = now


def _devices(library: Any) -> Iterator[SoundDevice]:
    # Several systems may offer the same devices: one of them is enough.
    systems = library.query_hostapis()
    if not systems:
        return
    system = next((one for one in systems if one["devices"] and _is_default(library, one)), systems[0])
    defaults = (system["default_input_device"], system["default_output_device"])
    for index in sorted(system["devices"], key=lambda index: index not in defaults):
        about = library.query_devices(index)
        name = str(about["name"])
        id = hashlib.sha256(f"{system['name']}\0{name}".encode()).hexdigest()[:32]
        yield SoundDevice(
            index,
            name,
            id,
            _box(name) or id,
            int(about["max_input_channels"]),
            int(about["max_output_channels"]),
            round(about["default_samplerate"]),
            float(about["default_low_input_latency"]),
        )


def _is_default(library: Any, system: Any) -> bool:
    return any(index in system["devices"] for index in library.default.device)


def _box(name: str) -> str | None:
    """PortAudio writes the number of ALSA's card behind the name: "HD Webcam: USB Audio (hw:1,0)"."""
    card = re.search(r"\(hw:(\d+),", name)
    return box_of(CARDS / f"card{card[1]}") if card else None
