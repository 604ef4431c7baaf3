"""What the operator sees: health, metrics and the API, on this machine or with the right `admin`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from client.conversation import talk
from system.conftest import Enter
from system.server_process import ServerProcess, create_token

TURN_PATHS = ["/api/v1/turn/allocations", "/api/v1/turn/usage"]
PATHS = ["/metrics", "/api/v1/people", "/api/v1/calls", "/api/v1/history", "/api/v1/openapi.json", *TURN_PATHS]


@pytest.fixture
async def http(shared: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=shared.url, timeout=10, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture(scope="module")
def admin(shared: ServerProcess) -> dict[str, str]:
    token = create_token(shared.folder, "Root", "--right", "admin")
    return {"Authorization": f"Bearer {token}"}


async def test_health_is_for_everybody(http: httpx.AsyncClient) -> None:
    for headers in ({}, {"Host": "talk.example.org"}, {"X-Forwarded-For": "192.0.2.7"}):
        answer = await http.get("/healthz", headers=headers)
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}


@pytest.mark.parametrize("path", PATHS)
async def test_who_is_at_this_machine_is_let_in(http: httpx.AsyncClient, path: str, shared: ServerProcess) -> None:
    for host in ("127.0.0.1", "localhost"):
        answer = await http.get(path, headers={"Host": f"{host}:{shared.port}"})
        assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8080"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.nip.io"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=192.0.2.7"},
        {"X-Real-IP": "192.0.2.7"},
    ],
    ids=str,
)
async def test_who_is_not_is_refused_without_the_right(
    http: httpx.AsyncClient, admin: dict[str, str], shared: ServerProcess, path: str, headers: dict[str, str]
) -> None:
    refused = await http.get(path, headers=headers)
    assert refused.status_code in (401, 403)
    assert refused.json()["error"]["code"] in ("auth", "forbidden")
    guest = create_token(shared.folder, "Ann")
    for token, status in ((guest, 403), ("nonsense", 401), (guest[:-4] + "AAAA", 401)):
        refused = await http.get(path, headers=headers | {"Authorization": f"Bearer {token}"})
        assert refused.status_code == status
        assert token not in refused.text
    assert (await http.get(path, headers=headers | admin)).status_code == 200


async def test_people_calls_and_history_are_told(shared: ServerProcess, enter: Enter, http: httpx.AsyncClient) -> None:
    ann, bob = await enter(shared, "Ann"), await enter(shared, "Bob")
    call = await talk(ann, bob)
    ann_is, bob_is = {"u": ann.u, "n": ann.name}, {"u": bob.u, "n": bob.name}

    people = (await http.get("/api/v1/people")).json()["people"]
    assert {"st": "call"} | ann_is in people
    assert {"st": "call"} | bob_is in people

    (now,) = [c for c in (await http.get("/api/v1/calls")).json()["calls"] if c["caller"] == ann_is]
    assert set(now) == {"caller", "callee", "state", "media", "started", "answered"}
    assert (now["callee"], now["state"]) == (bob_is, "up")

    await ann.request("end", call)
    await bob.expect("end", call)
    (past,) = [c for c in (await http.get("/api/v1/history")).json()["calls"] if c["call"] == call]
    assert set(past) == {"call", "caller", "callee", "media", "started", "answered", "ended", "why"}
    assert (past["caller"], past["callee"], past["why"]) == (ann_is, bob_is, "hangup")
    assert not [c for c in (await http.get("/api/v1/calls")).json()["calls"] if c["caller"] == ann_is]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "limit=100000", "before=x", "before=1e9"])
async def test_a_query_that_makes_no_sense_is_refused(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/api/v1/history?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad"


async def test_openapi_describes_what_is_answered(http: httpx.AsyncClient) -> None:
    document = (await http.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.")
    one = "/turn/allocations/{id}"
    assert set(document["paths"]) == {"/people", "/calls", "/history", "/turn/allocations", "/turn/usage", one}
    for path, item in document["paths"].items():
        if path == one:
            continue
        schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = (await http.get(f"/api/v1{path}")).json()
        assert set(answer) == set(resolve(document, schema)["properties"])


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


async def test_metrics_are_in_prometheus_form(http: httpx.AsyncClient, enter: Enter, shared: ServerProcess) -> None:
    await talk(await enter(shared, "Ann"), await enter(shared, "Bob"))
    answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    names = {line.split("{")[0].split(" ")[0] for line in answer.text.splitlines() if line and line[0] != "#"}
    assert any(name.startswith("peerline_") for name in names)
    assert "# TYPE" in answer.text
