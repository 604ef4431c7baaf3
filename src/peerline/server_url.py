"""Where the server is, as it was typed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from peerline.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """`https://host:port/prefix`, without a slash at the end."""

    is_secure: bool
    host: str
    port: int
    prefix: str = ""

    def __str__(self) -> str:
        return f"http{'s' if self.is_secure else ''}://{self.netloc}{self.prefix}"

    @property
    def netloc(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def websocket(self) -> str:
        """The same for WebSocket."""
        return f"ws{'s' if self.is_secure else ''}://{self.netloc}{self.prefix}"

    @property
    def is_this_computer(self) -> bool:
        """Whether it was asked by a loopback name: browsers then count plain HTTP as secure."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_server(text: str) -> ServerUrl:
    """Raises ConfigError."""
    hint = "For example http://localhost:8080 or https://calls.example.org."
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise ConfigError(f"{text!r} is no address of a server", hint=hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username or parts.fragment:
        raise ConfigError(f"{text!r} is no address of a server", hint=hint)
    is_secure = parts.scheme == "https"
    return ServerUrl(is_secure, parts.hostname, port or (443 if is_secure else 80), parts.path.rstrip("/"))
