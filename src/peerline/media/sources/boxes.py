"""Which devices are in one box: a webcam and its microphone (Media Capture and Streams, section 9.3, groupId)."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["box_of"]


def box_of(node: Path) -> str | None:
    """A name for the box of a device under /sys/class, the same for all in it; None if nobody knows."""
    try:
        device = (node / "device").resolve(strict=True)
    except OSError:
        return None
    # A device of USB has an interface for each thing that it can do.
    is_interface = (device / "bInterfaceNumber").exists()
    return hashlib.sha256(str(device.parent if is_interface else device).encode()).hexdigest()[:32]
