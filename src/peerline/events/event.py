"""What happened (DOM Standard, section 2.2)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peerline.events.target import EventTarget

_origin = time.perf_counter()


def time_stamp() -> float:
    """Now, in milliseconds."""
    return (time.perf_counter() - _origin) * 1000


# What an event is, in one number: there may be very many events.
BUBBLES, CANCELABLE, COMPOSED, CANCELED, TRUSTED, STOPPED, STOPPED_AT_ONCE, IN_PASSIVE_LISTENER = (
    1 << bit for bit in range(8)
)


class Event:
    """`Event(type, {"bubbles": …, "cancelable": …, "composed": …})`; the members may be keywords, too.

    Subclasses read their own members from `self.members(…)`. `timeStamp` is in milliseconds, to be compared.
    """

    __slots__ = ("__weakref__", "_current_target", "_flags", "_target", "_time_stamp", "_type")

    NONE = 0
    CAPTURING_PHASE = 1
    AT_TARGET = 2
    BUBBLING_PHASE = 3

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        self._type = as_text(type)
        self._flags = 0
        if eventInitDict is not None or members:
            init = self.members(eventInitDict, members)
            self._flags = (
                (BUBBLES if init.get("bubbles") else 0)
                | (CANCELABLE if init.get("cancelable") else 0)
                | (COMPOSED if init.get("composed") else 0)
            )
        self._target: EventTarget | None = None
        self._current_target: EventTarget | None = None  # as long as it is dispatched
        self._time_stamp = time_stamp()

    @staticmethod
    def members(init: Mapping[str, Any] | None, keywords: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Dictionary and keywords in one. Raises TypeError if the dictionary is none."""
        if init is not None and not isinstance(init, Mapping):
            raise TypeError(f"the event's members are a dictionary, not {init!r}")
        return {**(init or {}), **(keywords or {})}

    @property
    def type(self) -> str:
        """Its name: "message", "open" …"""
        return self._type

    @property
    def target(self) -> EventTarget | None:
        """The object it is dispatched at."""
        return self._target

    @property
    def srcElement(self) -> EventTarget | None:
        """An old name of `target`."""
        return self._target

    @property
    def currentTarget(self) -> EventTarget | None:
        """The object whose listeners run now; None when none do."""
        return self._current_target

    @property
    def eventPhase(self) -> int:
        """`AT_TARGET` while it is dispatched: there is no tree here. Else `NONE`."""
        return self.NONE if self._current_target is None else self.AT_TARGET

    @property
    def bubbles(self) -> bool:
        """Said when it was made; there is nothing to bubble to."""
        return bool(self._flags & BUBBLES)

    @property
    def cancelable(self) -> bool:
        """Whether `preventDefault` does anything."""
        return bool(self._flags & CANCELABLE)

    @property
    def composed(self) -> bool:
        """Said when it was made; there are no shadow trees."""
        return bool(self._flags & COMPOSED)

    @property
    def defaultPrevented(self) -> bool:
        """Whether a listener said `preventDefault`."""
        return bool(self._flags & CANCELED)

    @property
    def isTrusted(self) -> bool:
        """Whether Peerline fired it, and not a program with `dispatchEvent`."""
        return bool(self._flags & TRUSTED)

    @property
    def timeStamp(self) -> float:
        """When it was made, in milliseconds, to compare with others."""
        return self._time_stamp

    @property
    def returnValue(self) -> bool:
        """An old form of `not defaultPrevented`; setting it to False prevents the default."""
        return not self._flags & CANCELED

    @returnValue.setter
    def returnValue(self, value: Any) -> None:
        if not value:
            self.preventDefault()

    @property
    def cancelBubble(self) -> bool:
        """An old form of `stopPropagation`."""
        return bool(self._flags & STOPPED)

    @cancelBubble.setter
    def cancelBubble(self, value: Any) -> None:
        if value:
            self._flags |= STOPPED

    def composedPath(self) -> list[EventTarget]:
        """The objects whose listeners it reaches: one, while it is dispatched."""
        return [self._current_target] if self._current_target is not None else []

    def preventDefault(self) -> None:
        """Ask that what usually follows does not; nothing, if the event is not cancelable or the listener passive."""
        if self._flags & (CANCELABLE | IN_PASSIVE_LISTENER) == CANCELABLE:
            self._flags |= CANCELED

    def stopPropagation(self) -> None:
        """Keep it from further objects."""
        self._flags |= STOPPED

    def stopImmediatePropagation(self) -> None:
        """Keep it from the listeners that have not run."""
        self._flags |= STOPPED | STOPPED_AT_ONCE

    def initEvent(self, type: str, bubbles: Any = False, cancelable: Any = False) -> None:
        """An old way to make it anew; nothing while it is dispatched."""
        if self._current_target is not None:
            return
        self._type = as_text(type)
        self._target = None
        self._flags = self._flags & COMPOSED | (BUBBLES if bubbles else 0) | (CANCELABLE if cancelable else 0)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._type!r}>"


class CustomEvent(Event):
    """An event that carries `detail`: whatever its maker likes."""

    def __init__(self, type: str, eventInitDict: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        super().__init__(type, eventInitDict, **members)
        self._detail = self.members(eventInitDict, members).get("detail")

    @property
    def detail(self) -> Any:
        """What the maker put in."""
        return self._detail


def as_text(value: Any) -> str:
    """A DOMString as JavaScript makes it of None, booleans and numbers. Raises TypeError for bytes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"a text is needed, not {type(value).__name__}")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
