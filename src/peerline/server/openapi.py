"""The API's own description (OpenAPI 3.1), made from its operations and their types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request

from peerline import __version__

Act = Callable[[Request], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be asked for."""

    name: str
    text: str
    schema: dict[str, Any]
    where: str = "query"
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    answer: type
    act: Act
    parameters: tuple[Parameter, ...] = ()
    refusals: tuple[int, ...] = (401, 403)


NUMBER = {"type": "integer", "minimum": 1}
_REFUSALS = {
    400: "Makes no sense",
    401: "For the operator",
    403: "Without the right to it",
    404: "There is no such thing",
    503: "Not now, or not here",
}


def openapi_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document."""
    answers = list(dict.fromkeys(operation.answer for operation in operations))
    schemas, components = msgspec.json.schema_components(answers, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(answers, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _described(operation, schema_of[operation.answer])
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
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


def _described(operation: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    hint = "`error.code` is stable, `error.hint` says what to do"
    words = operation.path.replace("{", " ").replace("}", " ").replace("/", " ").split()
    verb = [] if operation.method == "GET" else [operation.method.lower()]
    return {
        "summary": operation.summary,
        "operationId": "_".join([*verb, *words]),
        "parameters": [
            {"name": p.name, "in": p.where, "required": p.is_required, "schema": p.schema, "description": p.text}
            for p in operation.parameters
        ],
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}
        | {str(status): {"description": f"{_REFUSALS[status]}: {hint}"} for status in operation.refusals},
    }
