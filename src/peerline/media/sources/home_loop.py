"""The event loop that a source belongs to, told of from other threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from peerline.eventloop import queue_task

__all__ = ["HomeLoop"]


class HomeLoop:
    """The loop in which `remember` was called last."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.remember()

    def remember(self) -> None:
        """The loop that runs here is the one, if any does."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            pass

    def tell(self, steps: Callable[..., Any], *arguments: Any) -> None:
        """Take these steps in a task of the loop; here and now where none was ever seen, never if it is closed."""
        if self._loop is None:
            steps(*arguments)
            return
        try:
            self._loop.call_soon_threadsafe(queue_task, "media", steps, *arguments)
        except RuntimeError:
            # The loop is closed: nobody is left to be told.
            pass
