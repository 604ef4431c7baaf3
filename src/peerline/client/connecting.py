"""`peerline.connect`: sign in at a server."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

from peerline.client.choice import TransportWish
from peerline.client.client import Client
from peerline.client.identity import make_secret, owner_key
from peerline.config import load_config
from peerline.errors import ConfigError
from peerline.server_url import parse_server
from peerline.signaling import messages as m
from peerline.webrtc.tuning import Tuning

__all__ = ["connect"]


class connect:
    """Sign in: `async with connect(url, name="Ann") as me`, or `me = await connect(…)` and `await me.close()`.

    Where the server asks for tokens, `token` names the person and `name` may be left out. A name belongs to whoever had
    it first: `key` (16 to 128 characters of base64url) is what shows it; by default one that is kept in ~/.peerline.
    `tls`: whom to trust, by default what the system does (SSL_CERT_FILE counts). `transport`: "auto" tries WebSocket,
    then server-sent events, then long poll; "websocket", "http" and "poll" take one alone.

    Raises UnreachableError; AuthError or RefusedError (`taken`, `rate` …) if the server says no; ConfigError for
    what is no address or key.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str | None = None,
        token: str | None = None,
        key: str | None = None,
        tls: ssl.SSLContext | None = None,
        transport: TransportWish = "auto",
        tuning: Tuning | None = None,
        ice_transport_policy: Literal["all", "relay"] = "all",
    ) -> None:
        self._url = parse_server(url)
        self._name = name
        self._token = token
        self._key = key
        self._tls = tls
        self._client: Client | None = None
        self._more: dict[str, Any] = {
            "transport": transport, "tuning": tuning, "ice_transport_policy": ice_transport_policy,
        }  # fmt: skip

    def __await__(self) -> Generator[Any, None, Client]:
        return self._open().__await__()

    async def __aenter__(self) -> Client:
        self._client = await self._open()
        return self._client

    async def __aexit__(self, *error: object) -> None:
        if self._client is not None:
            await self._client.close()

    async def _open(self) -> Client:
        tls = self._tls
        if self._url.is_secure and tls is None:
            tls = ssl.create_default_context()
        client = Client(self._url, self._identity(), tls=tls if self._url.is_secure else None, **self._more)
        return await client.open()

    def _identity(self) -> m.Hello:
        hello = m.Hello([m.PROTOCOL_VERSION], make_secret(16))
        if self._name is not None:
            hello.name = self._name
        if self._token is not None:
            hello.tok = self._token
        elif self._name is None:
            raise ConfigError("neither a name nor a token", hint="Give name=… as you want to be seen.")
        else:
            hello.own = self._key if self._key is not None else owner_key(_data_dir())
        return hello


def _data_dir() -> Path:
    return load_config().data_dir
