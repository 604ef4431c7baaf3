"""What may be asked of a track: the dictionaries of constraints (Media Capture and Streams, sections 4.3.6 and 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from peerline.webidl import Converter, Dictionary, Member, boolean, dom_string, double, integer, sequence

unsigned_long_clamped = integer(32, clamp=True)


class DoubleRange(Dictionary):
    """From `min` to `max`, both included."""

    max = Member(double)
    min = Member(double)


class ULongRange(Dictionary):
    """From `min` to `max`, both included; whole numbers."""

    max = Member(unsigned_long_clamped)
    min = Member(unsigned_long_clamped)


class ConstrainDoubleRange(DoubleRange):
    """`min`, `max` and `exact` must be kept, `ideal` is a wish."""

    exact = Member(double)
    ideal = Member(double)


class ConstrainULongRange(ULongRange):
    """The same of whole numbers."""

    exact = Member(unsigned_long_clamped)
    ideal = Member(unsigned_long_clamped)


class ConstrainBooleanParameters(Dictionary):
    """`exact` must be kept, `ideal` is a wish."""

    exact = Member(boolean)
    ideal = Member(boolean)


def _text_or_texts(value: Any, what: str) -> str | list[str]:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return sequence(dom_string)(value, what)
    return dom_string(value, what)


def _boolean_or_text(value: Any, what: str) -> bool | str:
    return value if isinstance(value, bool) else dom_string(value, what)


class ConstrainDOMStringParameters(Dictionary):
    """`exact` must be kept, `ideal` is a wish; of several texts one is enough."""

    exact = Member(_text_or_texts)
    ideal = Member(_text_or_texts)


class ConstrainBooleanOrDOMStringParameters(Dictionary):
    """`exact` must be kept, `ideal` is a wish."""

    exact = Member(_boolean_or_text)
    ideal = Member(_boolean_or_text)


def either(simple: Converter[Any], dictionary: type[Dictionary]) -> Converter[Any]:
    """A bare value, or the dictionary (Web IDL's union of the two; None is an empty dictionary)."""

    def convert(value: Any, what: str) -> Any:
        is_bare = isinstance(value, str | bytes | bool | int | float | list | tuple) or hasattr(value, "__index__")
        return simple(value, what) if is_bare else dictionary(value)

    return convert


_number = either(unsigned_long_clamped, ConstrainULongRange)
_real = either(double, ConstrainDoubleRange)
_text = either(_text_or_texts, ConstrainDOMStringParameters)
_flag = either(boolean, ConstrainBooleanParameters)
_flag_or_text = either(_boolean_or_text, ConstrainBooleanOrDOMStringParameters)


class MediaTrackConstraintSet(Dictionary):
    """One value or range a property: `width=640`, `width={"min": 320, "ideal": 1280}`. A bare value is a wish."""

    width = Member(_number)
    height = Member(_number)
    aspectRatio = Member(_real)
    frameRate = Member(_real)
    facingMode = Member(_text)
    resizeMode = Member(_text)
    sampleRate = Member(_number)
    sampleSize = Member(_number)
    echoCancellation = Member(_flag_or_text)
    autoGainControl = Member(_flag)
    noiseSuppression = Member(_flag)
    voiceIsolation = Member(_flag)
    latency = Member(_real)
    channelCount = Member(_number)
    deviceId = Member(_text)
    groupId = Member(_text)
    backgroundBlur = Member(_flag)


def _set(value: Any, what: str) -> MediaTrackConstraintSet:
    return MediaTrackConstraintSet(value)


class MediaTrackConstraints(MediaTrackConstraintSet):
    """And `advanced`: further sets, in which bare values must be kept; each is kept as a whole or ignored."""

    advanced = Member(sequence(_set))


class MediaStreamConstraints(Dictionary):
    """`video` and `audio`: True, False, or MediaTrackConstraints."""

    video = Member(either(boolean, MediaTrackConstraints), default=lambda: False)
    audio = Member(either(boolean, MediaTrackConstraints), default=lambda: False)


AUDIO_PROPERTIES = (
    "sampleRate",
    "sampleSize",
    "echoCancellation",
    "autoGainControl",
    "noiseSuppression",
    "voiceIsolation",
    "latency",
    "channelCount",
)
VIDEO_PROPERTIES = ("width", "height", "aspectRatio", "frameRate", "facingMode", "resizeMode", "backgroundBlur")
INHERENT_PROPERTIES = ("deviceId", "groupId", "facingMode")


def applies(name: str, kind: str) -> bool:
    """Whether the property is one of tracks of that kind; of others it is ignored."""
    return name not in (VIDEO_PROPERTIES if kind == "audio" else AUDIO_PROPERTIES)
