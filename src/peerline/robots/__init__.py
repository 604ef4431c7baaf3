"""Programs that people can call. They use nothing but the public API."""

from peerline.robots.echo import Echo

__all__ = ["Echo"]
