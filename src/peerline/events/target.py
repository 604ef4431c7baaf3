"""Objects that events happen to (DOM Standard, sections 2.7 to 2.9)."""

from __future__ import annotations

from typing import Any

from peerline.errors import InvalidStateError
from peerline.events.event import Event, as_text
from peerline.events.listener import Listener, Options, capture_of
from peerline.jobs import call


class EventTarget:
    """Listeners by event. Subclasses may leave out `super().__init__()`, and declare attributes with `EventHandler`."""

    _listeners: list[Listener] | None = None  # made with the first one

    def addEventListener(self, type: str, callback: Any, options: Options = None, /, **more: Any) -> None:
        """Call `callback(event)`, or its `handleEvent(event)`, whenever `type` happens, after those added before.

        Options, as a dictionary or as keywords: `once`, `capture`, `passive`, `signal` (an AbortSignal).
        The same callback is added once. A coroutine function runs at once up to its first suspension. Raises TypeError
        for what can never be a listener or a signal.
        """
        from peerline.events.abort import AbortSignal

        type = as_text(type)
        if more:
            options = {**(options if isinstance(options, dict) else {"capture": bool(options)}), **more}
        given = {} if options is None or isinstance(options, bool) else options
        if not hasattr(given, "get"):
            given = {}
        signal = given.get("signal")
        if "signal" in given and not isinstance(signal, AbortSignal):
            raise TypeError(f"the option signal is an AbortSignal, not {signal!r}")
        if callback is None or (signal is not None and signal.aborted):
            return
        if isinstance(callback, str | bytes | int | float):
            raise TypeError(f"a listener is a callable or an object with handleEvent, not {callback!r}")
        capture = capture_of(options)
        if self._listeners is None:
            self._listeners = []
        if any(known.is_same(type, callback, capture) for known in self._listeners):
            return
        once, passive = bool(given.get("once", False)), bool(given.get("passive", False))
        listener = Listener(type, callback, capture, once, passive, signal)
        self._listeners.append(listener)
        if signal is not None:
            signal.on_abort(lambda: self._remove(listener))

    def removeEventListener(self, type: str, callback: Any, options: Options = None, /, **more: Any) -> None:
        """Take it back; only `capture` of the options matters. Nothing happens if it was never added."""
        capture = capture_of({"capture": more["capture"]} if "capture" in more else options)
        for listener in self._listeners or ():
            if listener.is_same(as_text(type), callback, capture):
                self._remove(listener)
                return

    def dispatchEvent(self, event: Event) -> bool:
        """Run the listeners now; False if one of them prevented the default.

        Raises TypeError for anything but an Event, InvalidStateError for one that is being dispatched.
        """
        if not isinstance(event, Event):
            raise TypeError(f"dispatchEvent takes an Event, not {event!r}")
        if event._is_dispatched:
            raise InvalidStateError("the event is being dispatched already")
        event._is_trusted = False
        return self._dispatch(event)

    # Inside ---------------------------------------------------------------------------------------

    def _remove(self, listener: Listener) -> None:
        listener.is_removed = True
        if self._listeners is not None and listener in self._listeners:
            self._listeners.remove(listener)

    def _dispatch(self, event: Event) -> bool:
        event._is_dispatched = True
        event._target = event._current_target = self
        event._phase = Event.AT_TARGET
        try:
            if self._listeners is not None:
                # Capturing listeners first, then the others; from a copy: who is added now waits for the next.
                for capture in (True, False):
                    if event._is_stopped:
                        break
                    self._run(event, [x for x in self._listeners if x.type == event._type and x.capture is capture])
        finally:
            event._phase = Event.NONE
            event._current_target = None
            event._is_dispatched = event._is_stopped = event._is_stopped_at_once = False
        return not event._is_canceled

    def _run(self, event: Event, listeners: list[Listener]) -> None:
        for listener in listeners:
            if listener.is_removed:
                continue
            if listener.once:
                self._remove(listener)
            event._is_in_passive_listener = listener.passive
            try:
                call(listener.handle, event, what=f"the listener {listener.name} of {event._type!r}")
            finally:
                event._is_in_passive_listener = False
            if event._is_stopped_at_once:
                return


def fire(target: EventTarget, event: Event) -> bool:
    """Dispatch an event of Peerline's own: `isTrusted` is true. False if a listener prevented the default."""
    event._is_trusted = True
    return target._dispatch(event)
