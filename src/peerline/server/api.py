"""`/api/v1`: people, calls, history and the relay for the operator, described by its own OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from peerline.errors import PeerlineError
from peerline.server import api_query
from peerline.server.admin import Gate
from peerline.server.ledger import media_of
from peerline.server.openapi import NUMBER, Operation, Parameter, openapi_document
from peerline.server.service import Service
from peerline.server.turn_api import TurnApi
from peerline.signaling.messages import Medium, PersonShown, Who

_STATUS = {"unavailable": 503, "gone": 404}


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
        page = (
            Parameter("before", "Calls that started before this time, in ms since 1970", NUMBER),
            Parameter("limit", "At most so many; up to 1000", NUMBER),
        )
        self.operations = [
            Operation("GET", "/people", "Who is present", PeopleNow, self.people),
            Operation("GET", "/calls", "Calls that are not over", CallsNow, self.calls),
            Operation("GET", "/history", "Calls as written down", PastCalls, self.history, page, (400, 401, 403)),
            *TurnApi(service).operations(),
        ]

    def routes(self) -> list[Route]:
        """For a Starlette mount."""
        return [
            *(Route(o.path, self._guarded(o.act), methods=[o.method]) for o in self.operations),
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
        before = api_query.number(request, "before", None, 2**53)
        limit = api_query.limit(request, 50, 1000)
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
        return openapi_document(self.operations)

    def _guarded(self, act: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            refusal = self._gate.refuse(request)
            if refusal is not None:
                return refusal
            try:
                body = await act(request)
            except PeerlineError as error:
                body = {"error": {"code": error.code, "msg": error.message, "hint": error.hint}}
                return JSONResponse(body, _STATUS.get(error.code, 400), {"Cache-Control": "no-store"})
            return Response(msgspec.json.encode(body), 200, {"Cache-Control": "no-store"}, "application/json")

        return endpoint
