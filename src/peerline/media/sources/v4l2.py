"""Asks Linux which cameras there are, and which sizes and rates they have (Video for Linux, version 2)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from peerline.media.choices import CameraMode

__all__ = ["FoundCamera", "find_cameras"]

NODES = Path("/sys/class/video4linux")

# Of struct v4l2_capability.
CAN_CAPTURE, CAN_STREAM, HAS_DEVICE_CAPABILITIES = 0x1, 0x0400_0000, 0x8000_0000
CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
DISCRETE = 1

# V4L2's names, and FFmpeg's for its option input_format; what costs the least comes first.
FORMATS = {"YU12": "yuv420p", "NV12": "nv12", "YUYV": "yuyv422", "UYVY": "uyvy422", "MJPG": "mjpeg", "H264": "h264"}

# Where a device takes any size, these are offered; and at any rate, this.
USUAL_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (3840, 2160))
USUAL_RATE = 30.0


class FoundCamera(NamedTuple):
    """`formats` says in which of FFmpeg's pixel formats a mode is to be had."""

    path: str
    name: str
    bus: str
    formats: dict[CameraMode, str]


class _Capability(ctypes.Structure):
    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("device_caps", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class _Format(ctypes.Structure):
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", ctypes.c_uint32),
        ("mbus_code", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class _Size(ctypes.Structure):
    """`numbers`: width and height; or least and most width with a step, then the same of the height."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixelformat", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("numbers", ctypes.c_uint32 * 6),
        ("reserved", ctypes.c_uint32 * 2),
    )


class _Interval(ctypes.Structure):
    """`numbers`: numerator and denominator of the seconds between two pictures; or three such fractions."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixelformat", ctypes.c_uint32),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("numbers", ctypes.c_uint32 * 6),
        ("reserved", ctypes.c_uint32 * 2),
    )


def _request(number: int, kind: type[ctypes.Structure], *, is_written: bool) -> int:
    """As the macros _IOR and _IOWR make them."""
    return (3 if is_written else 2) << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | number


QUERY_CAPABILITY = _request(0, _Capability, is_written=False)
ENUMERATE_FORMATS = _request(2, _Format, is_written=True)
ENUMERATE_SIZES = _request(74, _Size, is_written=True)
ENUMERATE_INTERVALS = _request(75, _Interval, is_written=True)


def find_cameras() -> Iterator[FoundCamera]:
    """Those that this user may open, and that have a format that can be read."""
    names = sorted(NODES.iterdir(), key=lambda node: (len(node.name), node.name)) if NODES.is_dir() else []
    for node in names:
        try:
            device = os.open(f"/dev/{node.name}", os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            found = _look_at(f"/dev/{node.name}", device)
        finally:
            os.close(device)
        if found is not None:
            yield found


def _look_at(path: str, device: int) -> FoundCamera | None:
    about = _Capability()
    if not _ask(device, QUERY_CAPABILITY, about):
        return None
    can = about.device_caps if about.capabilities & HAS_DEVICE_CAPABILITIES else about.capabilities
    # One camera has several nodes: only some of them give pictures.
    if not (can & CAN_CAPTURE and can & CAN_STREAM):
        return None
    there = {_name(one.pixelformat): one.pixelformat for one in _formats(device)}
    modes: dict[CameraMode, str] = {}
    for name, format in FORMATS.items():
        if name in there:
            for mode in _modes(device, there[name]):
                modes.setdefault(mode, format)
    if not modes:
        return None
    return FoundCamera(path, about.card.decode(errors="replace"), about.bus_info.decode(errors="replace"), modes)


def _formats(device: int) -> Iterator[_Format]:
    one = _Format(type=CAPTURE)
    while _ask(device, ENUMERATE_FORMATS, one):
        yield one
        one = _Format(type=CAPTURE, index=one.index + 1)


def _modes(device: int, pixelformat: int) -> Iterator[CameraMode]:
    for width, height in _sizes(device, pixelformat):
        interval = _Interval(pixelformat=pixelformat, width=width, height=height)
        if not _ask(device, ENUMERATE_INTERVALS, interval) or interval.type != DISCRETE:
            yield CameraMode(width, height, USUAL_RATE)
            continue
        is_there = True
        while is_there:
            seconds, parts = interval.numbers[0], interval.numbers[1]
            yield CameraMode(width, height, round(parts / max(seconds, 1), 3))
            interval = _Interval(pixelformat=pixelformat, width=width, height=height, index=interval.index + 1)
            is_there = _ask(device, ENUMERATE_INTERVALS, interval)


def _sizes(device: int, pixelformat: int) -> Iterator[tuple[int, int]]:
    size = _Size(pixelformat=pixelformat)
    while _ask(device, ENUMERATE_SIZES, size):
        if size.type != DISCRETE:
            low_width, high_width, _, low_height, high_height, _ = size.numbers
            for width, height in USUAL_SIZES:
                if low_width <= width <= high_width and low_height <= height <= high_height:
                    yield width, height
            return
        yield size.numbers[0], size.numbers[1]
        size = _Size(pixelformat=pixelformat, index=size.index + 1)


def _name(pixelformat: int) -> str:
    return pixelformat.to_bytes(4, "little").decode("latin-1")


def _ask(device: int, request: int, about: ctypes.Structure) -> bool:
    """Whether there was an answer."""
    from fcntl import ioctl  # not on Windows

    try:
        ioctl(device, request, about)
    except OSError:
        return False
    return True
