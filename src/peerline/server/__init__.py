"""The server: signaling over WebSocket and HTTP, the page, the API, metrics. `create_app` mounts it anywhere."""

from __future__ import annotations

from peerline.server.app import create_app, lifespan

__all__ = ["create_app", "lifespan"]
