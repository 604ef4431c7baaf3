"""Objects that events happen to (DOM Standard, sections 2.7 to 2.9)."""

from __future__ import annotations

from types import CoroutineType, SimpleNamespace
from typing import Any

from peerline.errors import InvalidStateError
from peerline.events.event import (
    CANCELED,
    IN_PASSIVE_LISTENER,
    STOPPED,
    STOPPED_AT_ONCE,
    TRUSTED,
    Event,
    as_text,
)
from peerline.events.listener import Listener, Options, capture_of
from peerline.jobs import report, running_jobs, start

# Capturing ones, and the others.
_Ordered = tuple[tuple[Listener, ...], tuple[Listener, ...]]
# Where no loop runs there are no microtasks.
_NONE = SimpleNamespace(_depth=0, _microtasks=(), _ticks=())


class EventTarget:
    """Listeners by event. Subclasses may leave out `super().__init__()`, and declare attributes with `EventHandler`."""

    _listeners: list[Listener] | None = None  # made with the first one
    _ordered: dict[str, _Ordered]  # by type; made anew when listeners come and go

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
        if any(known.is_same(type, callback, capture) for known in self._listeners or ()):
            return
        once, passive = bool(given.get("once", False)), bool(given.get("passive", False))
        listener = Listener(type, callback, capture, once, passive, signal)
        self._add(listener)
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
        if event._current_target is not None:
            raise InvalidStateError("the event is being dispatched already")
        event._flags &= ~TRUSTED
        return self._dispatch(event)

    # Inside ---------------------------------------------------------------------------------------

    def _add(self, listener: Listener) -> None:
        if self._listeners is None:
            self._listeners = []
        self._listeners.append(listener)
        self._ordered = {}

    def _remove(self, listener: Listener) -> None:
        listener.is_removed = True
        if self._listeners is not None and listener in self._listeners:
            self._listeners.remove(listener)
            self._ordered = {}

    def _order(self, type: str) -> _Ordered:
        mine = [listener for listener in self._listeners or () if listener.type == type]
        ordered = tuple(x for x in mine if x.capture), tuple(x for x in mine if not x.capture)
        self._ordered[type] = ordered
        return ordered

    def _is_heard(self, type: str) -> bool:
        """Whether somebody listens."""
        return self._listeners is not None and any(self._ordered.get(type) or self._order(type))

    def _dispatch(self, event: Event) -> bool:
        if self._listeners is None:
            event._target = self
            event._flags &= ~(STOPPED | STOPPED_AT_ONCE)
            return not event._flags & CANCELED
        type = event._type
        event._target = event._current_target = self
        try:
            # Capturing listeners first, then the others. Who is added meanwhile waits for the next event, unless it is
            # one of the others and was added by a capturing one.
            capturing, others = self._ordered.get(type) or self._order(type)
            if capturing:
                if not event._flags & STOPPED:
                    self._run(event, capturing)
                others = (self._ordered.get(type) or self._order(type))[1]
            if others and not event._flags & STOPPED:
                self._run(event, others)
        finally:
            event._current_target = None
            event._flags &= ~(STOPPED | STOPPED_AT_ONCE)
        return not event._flags & CANCELED

    def _run(self, event: Event, listeners: tuple[Listener, ...]) -> None:
        # What `jobs.call` does for one callback, without its calls: this runs for every message that arrives.
        jobs = running_jobs() or _NONE
        for listener in listeners:
            if listener.is_removed:
                continue
            if listener.once:
                self._remove(listener)
            if listener.passive:
                event._flags |= IN_PASSIVE_LISTENER
            jobs._depth += 1
            try:
                function = listener.callback
                answer = function(event) if callable(function) else listener.function()(event)
                if answer is not None:
                    if isinstance(answer, CoroutineType):
                        start(answer, f"the listener {listener.name} of {event._type!r}")
                    elif answer is False and listener.is_attribute:
                        event.preventDefault()
            except Exception as error:
                report(error, f"the listener {listener.name} of {event._type!r}")
            finally:
                if listener.passive:
                    event._flags &= ~IN_PASSIVE_LISTENER
                jobs._depth -= 1
                if jobs._microtasks or jobs._ticks:
                    jobs.checkpoint()
            if event._flags & STOPPED_AT_ONCE:
                return


def fire(target: EventTarget, event: Event) -> bool:
    """Dispatch an event of Peerline's own: `isTrusted` is true. False if a listener prevented the default."""
    event._flags |= TRUSTED
    return target._dispatch(event)
