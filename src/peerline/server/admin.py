"""Who may see the API and the metrics: somebody at this machine, or a token with the right `admin`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from peerline.auth.tokens import Tokens
from peerline.errors import PeerlineError
from peerline.server.origin import is_local, may_connect


class Gate:
    """Lets requests in, or answers them with 401 or 403."""

    def __init__(self, tokens: Callable[[], Tokens | None]) -> None:
        self._tokens = tokens

    def refuse(self, request: Request) -> Response | None:
        """The refusal, or None to let the request in."""
        is_reading = request.method in ("GET", "HEAD")
        if not is_reading and not may_connect(request.headers.get("origin"), request.headers.get("host"), ()):
            # A page that the operator looks at must not act in the operator's name.
            return _refusal(403, "forbidden", "this page may not do that", "Ask from the server's own page, or none.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token and (tokens := self._tokens()) is not None:
            try:
                grant = tokens.check(token)
            except PeerlineError as error:
                return _refusal(401, "auth", error.message, error.hint)
            if "admin" in grant.rights:
                return None
            return _refusal(403, "forbidden", "the token has no right to this", "Make one with --right admin.")
        # HTTP/1.0 is what a proxy speaks that was told nothing: whoever it speaks for is not here.
        is_direct = request.scope.get("http_version") != "1.0"
        if is_direct and is_local(request.headers, request.client.host if request.client else None):
            return None
        return _refusal(
            401,
            "auth",
            "this is for the operator",
            "Ask from this machine, or with a token that has the right admin.",
        )


def _refusal(status: int, code: str, msg: str, hint: str | None) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return JSONResponse({"error": {"code": code, "msg": msg, "hint": hint}}, status, headers)
