"""Drives a hub's deadlines from the event loop: one timer handle for all of them."""

from __future__ import annotations

import asyncio

from peerline.server.hub import Hub


class Clockwork:
    """Calls `hub.handle_timeout` when it is due."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        hub.timers.on_earlier = self._arm
        self._arm()

    def close(self) -> None:
        """Stop."""
        self._hub.timers.on_earlier = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        due = self._hub.timers.poll_timeout()
        # The hub's clock need not be the loop's.
        wait_s = max(0.0, due - self._hub.clock()) if due is not None else None
        self._handle = self._loop.call_later(wait_s, self._fire) if wait_s is not None else None

    def _fire(self) -> None:
        self._handle = None
        try:
            self._hub.handle_timeout(self._hub.clock())
        finally:
            self._arm()
