"""Events as in the DOM: `Event`, `EventTarget`, `on…` attributes, abort signals (DOM Standard, sections 2 and 3)."""

from peerline.events.abort import AbortController, AbortSignal
from peerline.events.event import CustomEvent, Event
from peerline.events.handler import EventHandler
from peerline.events.target import EventTarget, fire

__all__ = ["AbortController", "AbortSignal", "CustomEvent", "Event", "EventHandler", "EventTarget", "fire"]
