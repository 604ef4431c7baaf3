"""Peerline: WebRTC for people who use Python."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peerline.media import (
        DeviceChangeEvent,
        InputDeviceInfo,
        MediaDeviceInfo,
        MediaDevices,
        MediaStream,
        MediaStreamTrack,
        MediaStreamTrackEvent,
        OverconstrainedError,
        mediaDevices,
    )

try:
    __version__ = version("peerline")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = [
    "DeviceChangeEvent",
    "InputDeviceInfo",
    "MediaDeviceInfo",
    "MediaDevices",
    "MediaStream",
    "MediaStreamTrack",
    "MediaStreamTrackEvent",
    "OverconstrainedError",
    "__version__",
    "mediaDevices",
]

# Where each name lives. They are imported when they are first asked for: a server needs no peer connections.
_HOMES = {
    "peerline.media": (
        "DeviceChangeEvent",
        "InputDeviceInfo",
        "MediaDeviceInfo",
        "MediaDevices",
        "MediaStream",
        "MediaStreamTrack",
        "MediaStreamTrackEvent",
        "OverconstrainedError",
        "mediaDevices",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'peerline' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
