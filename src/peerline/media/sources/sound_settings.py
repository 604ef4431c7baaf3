"""What sound of a device is and can be, as getSettings and getCapabilities say it."""

from __future__ import annotations

from typing import Any

from peerline.media.settings import MediaTrackCapabilities, MediaTrackSettings

__all__ = ["sound_capabilities", "sound_settings"]


def sound_settings(rate: int, latency_s: float) -> MediaTrackSettings:
    """As it comes from the device, in mono: nothing is done to it."""
    return MediaTrackSettings(
        sampleRate=rate,
        sampleSize=16,
        channelCount=1,
        latency=latency_s,
        echoCancellation=False,
        autoGainControl=False,
        noiseSuppression=False,
    )


def sound_capabilities(rate: int, latency_s: float, max_channels: int, **more: Any) -> MediaTrackCapabilities:
    """The number of channels is what there is to choose."""
    return MediaTrackCapabilities(
        sampleRate={"min": rate, "max": rate},
        sampleSize={"min": 16, "max": 16},
        channelCount={"min": 1, "max": max_channels},
        latency={"min": latency_s, "max": latency_s},
        echoCancellation=[False],
        autoGainControl=[False],
        noiseSuppression=[False],
        **more,
    )
