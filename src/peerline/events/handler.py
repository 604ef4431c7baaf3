"""The attributes `onopen`, `onmessage` … (HTML, section 8.1.8.1)."""

from __future__ import annotations

from typing import Any, overload

from peerline.events.listener import Handler, Listener
from peerline.events.target import EventTarget


class EventHandler:
    """`class RTCDataChannel(EventTarget): onopen = EventHandler("open")`; the name may be left out.

    Setting a callable makes it a listener, in the order of first setting: a new value keeps the place of the old one.
    Setting None, or what cannot be called, ends that; the next callable comes last. A handler that returns False
    prevents the default.
    """

    def __init__(self, type: str | None = None) -> None:
        self.type = type or ""
        self._slot = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.type = self.type or name.removeprefix("on")
        self._slot = f"_handler_{name}"

    @overload
    def __get__(self, target: None, owner: type) -> EventHandler: ...
    @overload
    def __get__(self, target: EventTarget, owner: type) -> Handler | None: ...
    def __get__(self, target: EventTarget | None, owner: type) -> EventHandler | Handler | None:
        if target is None:
            return self
        listener: Listener | None = target.__dict__.get(self._slot)
        return listener.callback if listener is not None else None

    def __set__(self, target: EventTarget, handler: Any) -> None:
        listener: Listener | None = target.__dict__.get(self._slot)
        if not callable(handler):
            if listener is not None:
                del target.__dict__[self._slot]
                target._remove(listener)
        elif listener is not None:
            listener.callback = handler
        else:
            target.__dict__[self._slot] = listener = Listener(self.type, handler, is_attribute=True)
            target._add(listener)
