"""Requests to the server. In a thread, with the standard library: a doctor is not in a hurry."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from peerline.doctor.stun.link import tls_reason
from peerline.errors import PeerlineError
from peerline.server_url import ServerUrl

WITHIN_S = 5.0
_MAX_BODY_BYTES = 1 << 20


class UnreachableError(PeerlineError):
    """There is no server, or no way to it."""

    code = "unreachable"


class UntrustedError(UnreachableError):
    """There is one, but its certificate is not accepted."""

    code = "certificate"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Asks one server; each request has a connection of its own."""

    def __init__(self, server: ServerUrl, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls

    async def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Raises UnreachableError."""
        return await asyncio.to_thread(self._ask, method, path, body, dict(headers or {}))

    async def first_line(self, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and first line of an answer that does not end. Raises UnreachableError, also for silence."""
        return await asyncio.to_thread(self._first_line, path, dict(headers))

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        connection = self._connection()
        try:
            connection.request(method, self._server.prefix + path, body, headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read(_MAX_BODY_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise self._explain(error) from error
        finally:
            connection.close()

    def _first_line(self, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = self._connection()
        try:
            connection.request("GET", self._server.prefix + path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.readline(1000).decode(errors="replace").rstrip("\r\n")
        except (OSError, http.client.HTTPException) as error:
            raise self._explain(error) from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        server = self._server
        if server.is_secure:
            return http.client.HTTPSConnection(server.host, server.port, timeout=WITHIN_S, context=self._tls)
        return http.client.HTTPConnection(server.host, server.port, timeout=WITHIN_S)

    def _explain(self, error: Exception) -> UnreachableError:
        where = str(self._server)
        match error:
            case ssl.SSLCertVerificationError():
                return UntrustedError(f"{where}: {tls_reason(error)}")
            case ssl.SSLError():
                return UnreachableError(f"{where}: {tls_reason(error)}", hint="Is it http:// and not https://?")
            case TimeoutError():
                return UnreachableError(
                    f"{where} does not answer within {WITHIN_S:g} s", code="timeout",
                    hint="A firewall drops what is sent there, or the address is wrong.",
                )  # fmt: skip
            case ConnectionRefusedError():
                return UnreachableError(
                    f"nobody listens at {where}", code="refused",
                    hint="Start it with `peerline serve`, or name another with --server URL.",
                )  # fmt: skip
            case http.client.HTTPException():
                return UnreachableError(
                    f"what answers at {where} does not speak HTTP",
                    hint="Is it https:// and not http://? Is it the right port?",
                )
            case OSError():
                reason = (error.strerror or str(error)).lower()
                return UnreachableError(
                    f"{where} cannot be reached: {reason}", hint="Check the name, and the network of this machine."
                )
        raise error
