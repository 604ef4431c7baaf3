"""`/api/v1`: people, calls and history for the operator, described by its own OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from peerline import __version__
from peerline.errors import PeerlineError, RemoteProtocolError
from peerline.server.admin import Gate
from peerline.server.ledger import media_of
from peerline.server.service import Service
from peerline.signaling.messages import Medium, PersonShown, Who


class PeopleNow(msgspec.Struct):
    """Everybody who is present."""

    people: list[PersonShown]


class CallNow(msgspec.Struct):
    """A call that is not over; times in milliseconds since 1970."""

    caller: Who
    callee: Who
    state: str
    media: list[Medium]
    started: int
    answered: int | None


class CallsNow(msgspec.Struct):
    """All calls that are not over."""

    calls: list[CallNow]


class PastCall(msgspec.Struct):
    """A call as it was written down."""

    call: str
    caller: Who
    callee: Who
    media: list[Medium]
    started: int
    answered: int | None
    ended: int | None
    why: str | None


class PastCalls(msgspec.Struct):
    """Newest first; `next` is the value of `before` for the next page, null on the last."""

    calls: list[PastCall]
    next: int | None


class Api:
    """The routes below `/api/v1`."""

    def __init__(self, service: Service, gate: Gate) -> None:
        self._service = service
        self._gate = gate

    def routes(self) -> list[Route]:
        """For a Starlette mount."""
        return [
            Route("/people", self._guarded(self.people)),
            Route("/calls", self._guarded(self.calls)),
            Route("/history", self._guarded(self.history)),
            Route("/openapi.json", self._guarded(self.openapi)),
        ]

    async def people(self, request: Request) -> Any:
        """Who is present."""
        hub = self._service.hub
        return PeopleNow(hub.roster.shown(hub.clock()))

    async def calls(self, request: Request) -> Any:
        """Calls that are not over."""
        calls = self._service.hub.board.calls.values()
        return CallsNow(
            [
                CallNow(
                    c.caller.person.who,
                    c.callee.person.who,
                    c.state.value,
                    c.caller.media,
                    c.started,
                    c.answered,
                )
                for c in calls
            ]
        )

    async def history(self, request: Request) -> Any:
        """Calls as they were written down."""
        before = _number(request, "before", None, 2**53)
        limit = _number(request, "limit", 50, 1000)
        assert limit is not None
        await self._service.hub.ledger.journal.flushed()
        rows = await self._service.store.history(None, before, limit)
        calls = [
            PastCall(
                r.call, Who(r.caller_u, r.caller_n), Who(r.callee_u, r.callee_n), media_of(r), r.started, r.answered,
                r.ended, r.why,
            )
            for r in rows
        ]  # fmt: skip
        return PastCalls(calls, rows[-1].started if len(rows) == limit and rows else None)

    async def openapi(self, request: Request) -> Any:
        """This API, described (OpenAPI 3.1)."""
        return openapi_document()

    def _guarded(self, act: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            refusal = self._gate.refuse(request)
            if refusal is not None:
                return refusal
            try:
                body = await act(request)
            except PeerlineError as error:
                status = 503 if error.code == "unavailable" else 400
                return JSONResponse({"error": {"code": error.code, "msg": error.message, "hint": error.hint}}, status)
            return Response(msgspec.json.encode(body), 200, {"Cache-Control": "no-store"}, "application/json")

        return endpoint


def _number(request: Request, name: str, default: int | None, highest: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 16 or not 1 <= int(text) <= highest:
        raise RemoteProtocolError(f"{name} is no number from 1 to {highest}")
    return int(text)


def openapi_document() -> dict[str, Any]:
    """The document, made from the types above."""
    answers = {"/people": PeopleNow, "/calls": CallsNow, "/history": PastCalls}
    schemas, components = msgspec.json.schema_components(
        list(answers.values()), ref_template="#/components/schemas/{name}"
    )
    summaries = {
        "/people": "Who is present",
        "/calls": "Calls that are not over",
        "/history": "Calls as written down",
    }
    texts = {
        "before": "Calls that started before this time, in ms since 1970",
        "limit": "At most so many; up to 1000",
    }
    number = {"type": "integer", "minimum": 1}
    page = [
        {"name": name, "in": "query", "required": False, "schema": number, "description": text}
        for name, text in texts.items()
    ]
    error = {"description": "Refused: `error.code` is stable, `error.hint` says what to do"}
    paths = {
        path: {
            "get": {
                "summary": summaries[path],
                "operationId": path.strip("/"),
                "parameters": page if path == "/history" else [],
                "responses": {
                    "200": {"description": "OK", "content": {"application/json": {"schema": schema}}},
                    "401": error,
                    "403": error,
                },
            }
        }
        for path, schema in zip(answers, schemas, strict=True)
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Peerline", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }
