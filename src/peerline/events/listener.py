"""One listener, and the options it was added with (DOM Standard, section 2.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peerline.events.abort import AbortSignal
    from peerline.events.event import Event

Handler = Callable[["Event"], Any]
Options = bool | Mapping[str, Any] | None


@dataclass(slots=True, eq=False)
class Listener:
    """`callback` is a callable, or an object with `handleEvent`, looked up when the event comes."""

    type: str
    callback: Any
    capture: bool = False
    once: bool = False
    passive: bool = False
    signal: AbortSignal | None = None
    is_removed: bool = False
    is_attribute: bool = False
    """It stands for an attribute `on…`: `callback` may change, and False from it prevents the default."""

    def is_same(self, type: str, callback: Any, capture: bool) -> bool:
        """Whether adding this one again would change nothing."""
        # Methods are made anew each time they are read: `a.m is a.m` is false, `==` compares object and function.
        mine = self.callback
        is_equal = mine is callback or (hasattr(mine, "__self__") and mine == callback)
        return is_equal and self.type == type and self.capture == capture and not self.is_attribute

    def function(self) -> Any:
        """What is to be called. Raises TypeError if it cannot be called by now."""
        callback = self.callback
        if callable(callback):
            return callback
        handle = getattr(callback, "handleEvent", None)
        if not callable(handle):
            raise TypeError("the listener's handleEvent is not callable")
        return handle

    @property
    def name(self) -> str:
        """For reports."""
        return str(getattr(self.callback, "__qualname__", type(self.callback).__name__))


def capture_of(options: Options) -> bool:
    """`capture`, which may be given alone in place of the options."""
    return bool(options.get("capture", False)) if isinstance(options, Mapping) else bool(options)
