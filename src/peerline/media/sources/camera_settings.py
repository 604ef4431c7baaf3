"""What pictures of a device can be, as getCapabilities says it (Media Capture and Streams, section 4.3.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peerline.media.choices import CameraMode
from peerline.media.settings import MediaTrackCapabilities

__all__ = ["picture_capabilities"]


def picture_capabilities(modes: Sequence[CameraMode], **more: Any) -> MediaTrackCapabilities:
    """Everything up to the largest mode: smaller pictures are cropped and scaled, fewer left out."""
    width = max(mode.width for mode in modes)
    height = max(mode.height for mode in modes)
    return MediaTrackCapabilities(
        width={"min": 1, "max": width},
        height={"min": 1, "max": height},
        aspectRatio={"min": 1 / height, "max": float(width)},
        frameRate={"min": 1.0, "max": max(mode.frame_rate for mode in modes)},
        resizeMode=["none", "crop-and-scale"],
        **more,
    )
