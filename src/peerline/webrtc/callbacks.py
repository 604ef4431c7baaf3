"""Methods that take callbacks in place of returning a promise (W3C WebRTC 4.4.3.1, legacy interface extensions)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peerline.eventloop import Promise
from peerline.jobs import call

__all__ = ["with_callbacks"]


def with_callbacks(method: Callable[..., Promise[Any]], arguments: tuple[Any, ...], first: int) -> Promise[None]:
    """Call it without the callbacks, which stand from place `first` on, and give them what comes of it."""
    success, failure = arguments[first], arguments[first + 1] if len(arguments) > first + 1 else None
    if not callable(failure):
        return Promise.rejected(TypeError("a failure callback is needed beside the success callback"), "a promise")
    rest = (*arguments[:first], *arguments[first + 2 :])

    def settled(result: Any, error: BaseException | None) -> None:
        if error is not None:
            call(failure, error, what="the failure callback")
        elif result is None:
            call(success, what="the success callback")
        else:
            call(success, result, what="the success callback")

    method(*rest).upon(settled)
    return Promise.resolved(None)
