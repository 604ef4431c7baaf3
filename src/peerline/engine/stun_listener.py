"""A STUN server of an engine (RFC 8489; docs/flows/stun.md)."""

from __future__ import annotations

from peerline import _core

__all__ = ["StunListener"]


class StunListener:
    """A STUN server on one UDP address. `Engine.stun_listen` makes it."""

    def __init__(self, core: _core.Engine, handle: int, host: str, port: int) -> None:
        self._core = core
        self._handle = handle
        self._host = host
        self._port = port
        self._is_open = True
        self._failure: str | None = None

    @property
    def host(self) -> str:
        """The IP address it is bound to."""
        return self._host

    @property
    def port(self) -> int:
        """The UDP port it is bound to, the real one if 0 was asked for."""
        return self._port

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self._host, self._port

    @property
    def is_open(self) -> bool:
        """False once it was closed, has failed, or its engine was closed."""
        return self._is_open and not self._core.is_closed

    @property
    def failure(self) -> str | None:
        """Why it failed by itself, if it did. Known only while the engine is attached to a loop."""
        return self._failure

    def close(self) -> None:
        """Stop answering. The port is free a moment later. Closing again does nothing.

        Raises RuntimeError in a forked child.
        """
        if self.is_open:
            self._is_open = False
            self._core.close_handle(self._handle)

    def __repr__(self) -> str:
        return f"<StunListener port={self._port} {'open' if self.is_open else 'closed'}>"
