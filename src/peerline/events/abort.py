"""Taking things back by a signal (DOM Standard, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peerline.errors import AbortError
from peerline.events.event import Event
from peerline.events.handler import EventHandler
from peerline.events.target import EventTarget, fire


class AbortSignal(EventTarget):
    """Says once that something is to end. `AbortController().signal` gives one."""

    onabort = EventHandler("abort")

    def __init__(self) -> None:
        self._reason: Any = None
        self._is_aborted = False
        self._steps: list[Callable[[], object]] = []

    @classmethod
    def abort(cls, reason: Any = None) -> AbortSignal:
        """One that has said so already."""
        signal = cls()
        signal._abort(reason)
        return signal

    @property
    def aborted(self) -> bool:
        """Whether it has."""
        return self._is_aborted

    @property
    def reason(self) -> Any:
        """Why: an AbortError unless something else was given; None before."""
        return self._reason

    def throwIfAborted(self) -> None:
        """Raise the reason if it has. What is no exception comes inside an AbortError."""
        if self._is_aborted:
            raise self._reason if isinstance(self._reason, BaseException) else AbortError(str(self._reason))

    def on_abort(self, step: Callable[[], object]) -> None:
        """Run this when it does, before its listeners; never, if it has already."""
        if not self._is_aborted:
            self._steps.append(step)

    def _abort(self, reason: Any) -> None:
        if self._is_aborted:
            return
        self._is_aborted = True
        self._reason = AbortError("the operation was aborted") if reason is None else reason
        steps, self._steps = self._steps, []
        for step in steps:
            step()
        fire(self, Event("abort"))


class AbortController:
    """Holds a signal, and gives it."""

    def __init__(self) -> None:
        self._signal = AbortSignal()

    @property
    def signal(self) -> AbortSignal:
        """To be handed out."""
        return self._signal

    def abort(self, reason: Any = None) -> None:
        """Say that it is to end; once is enough."""
        self._signal._abort(reason)
