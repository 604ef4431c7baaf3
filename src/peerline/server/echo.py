"""The robot Echo at our own server: it signs in as anybody else does."""

from __future__ import annotations

import asyncio
import importlib
import logging
import secrets
from typing import Any

from peerline.auth.secrets_file import load_secrets
from peerline.config import Config
from peerline.server.service import Service

__all__ = ["run_echo"]

log = logging.getLogger("peerline.server")

NAME = "Echo"
_TOKEN_S = 10 * 365 * 86_400.0


async def run_echo(service: Service, config: Config, port: int) -> None:
    """Until it is cancelled. A server that cannot run it goes on without."""
    try:
        # Takes a while: the server answers meanwhile.
        robots = await asyncio.to_thread(importlib.import_module, "peerline.robots")
        identity = _identity(service, config)
        service.hub.roster.takes_many.add(NAME.lower())
        host = config.host if config.host not in ("0.0.0.0", "::", "localhost") and not config.lan else "127.0.0.1"
        where = f"[{host}]" if ":" in host else host
        await robots.Echo(f"http://{where}:{port}", name=NAME, **identity).run()
    except Exception:
        log.exception("the robot Echo is not there")


def _identity(service: Service, config: Config) -> dict[str, Any]:
    """A token of ours, where people need one; else the key that owns the name."""
    tokens = service.tokens() if config.auth == "token" else None
    if tokens is not None:
        return {"token": tokens.create(NAME, ttl_s=_TOKEN_S)}
    return {"key": load_secrets(config.data_dir, "echo")[0] if config.keeps_data else secrets.token_urlsafe(32)}
