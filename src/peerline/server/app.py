"""The ASGI app: the only file that says what is served where. Mounts in any Starlette or FastAPI app."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from peerline.config import Config
from peerline.errors import BackendError
from peerline.metrics import CONTENT_TYPE
from peerline.server.admin import Gate
from peerline.server.api import Api
from peerline.server.http_signal import HttpSignal
from peerline.server.page import Page
from peerline.server.service import Service
from peerline.server.websocket import signal


def create_app(config: Config | None = None) -> Starlette:
    """The whole server as a Starlette app: page, signaling, API, metrics.

    It starts with the first request if nobody ran its lifespan (a mounted app's never runs): see `lifespan` for
    a clean end. `config.database` None keeps everything in memory. STUN belongs to `peerline serve`; a mounted
    app names its ICE servers in `config.ice_servers`.
    """
    service = Service(config or Config())
    gate = Gate(service.tokens)
    hub, dispatcher = service.hub, service.dispatcher

    async def websocket(socket: WebSocket) -> None:
        await signal(socket, hub, dispatcher)

    async def healthz(request: Request) -> Response:
        state = "draining" if hub.is_draining else "ok"
        return JSONResponse({"status": state}, 503 if hub.is_draining else 200, {"Cache-Control": "no-store"})

    async def metrics(request: Request) -> Response:
        return gate.refuse(request) or Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    routes = [
        WebSocketRoute("/signal", websocket),
        *HttpSignal(hub, dispatcher).routes(),
        Route("/healthz", healthz),
        Route("/metrics", metrics),
        Mount("/api/v1", routes=Api(service, gate).routes()),
        *Page().routes(),
    ]
    app = Starlette(routes=routes, lifespan=_lifespan(service))
    app.state.service = service
    app.add_middleware(_StartOnce, service=service)
    return app


def lifespan(app: Starlette) -> AbstractAsyncContextManager[None]:
    """For the lifespan of the app that `app` (from `create_app`) is mounted in: starts it, and ends it cleanly."""
    return _run(app.state.service)


def _lifespan(service: Service) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    return lambda _app: _run(service)


@contextlib.asynccontextmanager
async def _run(service: Service) -> AsyncIterator[None]:
    await service.start()
    try:
        yield
    finally:
        await service.close()


class _StartOnce:
    """Starts the service before the first request. Pure ASGI: a WebSocket passes through untouched."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._service.start()
            except BackendError as error:
                body = {"error": {"code": error.code, "msg": error.message, "hint": error.hint}}
                await JSONResponse(body, 503)(scope, receive, send)
                return
        elif scope["type"] == "websocket":
            await self._service.start()
        await self._app(scope, receive, send)
