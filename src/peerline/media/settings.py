"""What a track can be and is: capabilities and settings (Media Capture and Streams, sections 4.3.4, 4.3.5, 4.3.7)."""

from __future__ import annotations

from typing import Any

from peerline.media.constraints import DoubleRange, ULongRange
from peerline.webidl import Dictionary, Member, boolean, dom_string, double, sequence, unsigned_long


def _boolean_or_text(value: Any, what: str) -> bool | str:
    return value if isinstance(value, bool) else dom_string(value, what)


def _whole_range(value: Any, what: str) -> ULongRange:
    return ULongRange(value)


def _real_range(value: Any, what: str) -> DoubleRange:
    return DoubleRange(value)


class MediaTrackSettings(Dictionary):
    """What is in force: one value a property."""

    width = Member(unsigned_long)
    height = Member(unsigned_long)
    aspectRatio = Member(double)
    frameRate = Member(double)
    facingMode = Member(dom_string)
    resizeMode = Member(dom_string)
    sampleRate = Member(unsigned_long)
    sampleSize = Member(unsigned_long)
    echoCancellation = Member(_boolean_or_text)
    autoGainControl = Member(boolean)
    noiseSuppression = Member(boolean)
    voiceIsolation = Member(boolean)
    latency = Member(double)
    channelCount = Member(unsigned_long)
    deviceId = Member(dom_string)
    groupId = Member(dom_string)
    backgroundBlur = Member(boolean)


class MediaTrackCapabilities(Dictionary):
    """What is possible: a range, or all values, a property."""

    width = Member(_whole_range)
    height = Member(_whole_range)
    aspectRatio = Member(_real_range)
    frameRate = Member(_real_range)
    facingMode = Member(sequence(dom_string))
    resizeMode = Member(sequence(dom_string))
    sampleRate = Member(_whole_range)
    sampleSize = Member(_whole_range)
    echoCancellation = Member(sequence(_boolean_or_text))
    autoGainControl = Member(sequence(boolean))
    noiseSuppression = Member(sequence(boolean))
    voiceIsolation = Member(sequence(boolean))
    latency = Member(_real_range)
    channelCount = Member(_whole_range)
    deviceId = Member(dom_string)
    groupId = Member(dom_string)
    backgroundBlur = Member(sequence(boolean))


def _true() -> bool:
    return True


class MediaTrackSupportedConstraints(Dictionary):
    """The constraints that are understood here, each True."""

    width = Member(boolean, default=_true)
    height = Member(boolean, default=_true)
    aspectRatio = Member(boolean, default=_true)
    frameRate = Member(boolean, default=_true)
    facingMode = Member(boolean, default=_true)
    resizeMode = Member(boolean, default=_true)
    sampleRate = Member(boolean, default=_true)
    sampleSize = Member(boolean, default=_true)
    echoCancellation = Member(boolean, default=_true)
    autoGainControl = Member(boolean, default=_true)
    noiseSuppression = Member(boolean, default=_true)
    voiceIsolation = Member(boolean, default=_true)
    latency = Member(boolean, default=_true)
    channelCount = Member(boolean, default=_true)
    deviceId = Member(boolean, default=_true)
    groupId = Member(boolean, default=_true)
    backgroundBlur = Member(boolean, default=_true)
