"""`/api/v1/turn`: the operator sees allocations and ends them; nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from client.turn import TurnClient
from client.turn_message import RELAYED, address_in
from peerline.config import Config
from peerline.engine import Engine
from peerline.metrics import Metrics
from peerline.server import create_app
from peerline.server.service import Service
from peerline.turnserver import TurnServer, TurnSettings

SETTINGS = TurnSettings(users=[("ann", "pass"), ("bob", "pass")], allow=["127.0.0.0/8"], answers_per_second=None)
LOCAL = {"Host": "localhost:8080"}
Come = Callable[[str], Any]


class Place:
    """A server, its API, and people on the relay."""

    def __init__(self, http: httpx.AsyncClient, service: Service, turn: TurnServer, come: Come) -> None:
        self.http, self.service, self.turn, self.come = http, service, turn, come

    async def get(self, path: str) -> Any:
        answer = await self.http.get(f"/api/v1/turn/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until_left(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(await self.turn.allocations()) != count:
                pass


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        engine = stack.enter_context(Engine(shards=2))
        engine.attach(asyncio.get_running_loop())
        turn = TurnServer(engine, SETTINGS)
        ((_, _, port),) = turn.listen([("udp", "127.0.0.1", 0)], [("127.0.0.1", "127.0.0.1")], (20_000, 60_000))

        async def come(name: str) -> tuple[TurnClient, str]:
            client = await TurnClient.connect(("127.0.0.1", port), name, "pass")
            stack.callback(client.close)
            status, found = await client.allocate()
            assert status == 0
            return client, "{}:{}".format(*address_in(found[RELAYED]))

        app = create_app(Config())
        app.state.service.turn = turn
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
        http = httpx.AsyncClient(transport=transport, base_url="http://localhost:8080")
        await stack.enter_async_context(http)
        stack.push_async_callback(app.state.service.close)
        yield Place(http, app.state.service, turn, come)


async def test_allocations_are_listed_and_addresses_only_when_asked_for(place: Place) -> None:
    ann, relayed = await place.come("ann")
    listed = await place.get("allocations")
    (row,) = listed["allocations"]
    assert (listed["total"], listed["next"]) == (1, None)
    assert (row["user"], row["who"], row["transport"], row["permissions"], row["channels"]) == (
        "ann",
        None,
        "udp",
        0,
        0,
    )
    assert row["age_s"] < 60
    assert 500 < row["left_s"] <= 600
    assert row["usage"] == {"packets_up": 0, "bytes_up": 0, "packets_down": 0, "bytes_down": 0}
    assert "127.0.0.1" not in str(listed)
    (row,) = (await place.get("allocations?addresses=true"))["allocations"]
    assert row["client"] == "{}:{}".format(*ann.address)
    assert row["relayed"] == [relayed]


async def test_pages_hold_every_allocation_once(place: Place) -> None:
    for _ in range(7):
        await place.come("ann")
    ids: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await place.get(f"allocations?limit=3{f'&after={after}' if after else ''}")
        assert page["total"] == 7
        ids += [row["id"] for row in page["allocations"]]
        after = page["next"]
    assert len(ids) == len(set(ids)) == 7


async def test_one_allocation_is_ended_and_its_client_is_told_at_the_next_refresh(place: Place) -> None:
    (ann, _), (bob, _) = await place.come("ann"), await place.come("bob")
    rows = (await place.get("allocations"))["allocations"]
    (of_ann,) = [row["id"] for row in rows if row["user"] == "ann"]
    answer = await place.http.delete(f"/api/v1/turn/allocations/{of_ann}")
    assert (answer.status_code, answer.json()) == (200, {"kicked": 1})
    await place.until_left(1)
    assert (await ann.refresh(), await bob.refresh()) == (437, 0)
    again = await place.http.delete(f"/api/v1/turn/allocations/{of_ann}")
    assert again.status_code == 404
    assert again.json()["error"]["code"] == "gone"
    assert again.json()["error"]["hint"]


async def test_all_allocations_of_a_user_are_ended(place: Place) -> None:
    for name in ("ann", "ann", "bob"):
        await place.come(name)
    for user, kicked in (("ann", 2), ("nobody", 0)):
        answer = await place.http.delete("/api/v1/turn/allocations", params={"user": user})
        assert (answer.status_code, answer.json()) == (200, {"kicked": kicked})
        await place.until_left(1)
    assert [row["user"] for row in (await place.get("allocations"))["allocations"]] == ["bob"]


async def test_usage_counts_what_is_over_and_what_goes_on(place: Place) -> None:
    (first, _), (second, _), (_bob, _) = await place.come("ann"), await place.come("ann"), await place.come("bob")
    for client in (first, second):
        assert await client.permit(("127.0.0.1", 50_000)) == 0
        client.send_to(("127.0.0.1", 50_000), b"12345")
    assert await first.refresh(0) == 0
    assert await second.refresh() == 0
    # The answer to a client may be faster than the news of it.
    async with asyncio.timeout(10):
        usage = await place.get("usage")
        while (usage["users"][0]["finished"], usage["users"][0]["packets_up"]) != (1, 2):
            usage = await place.get("usage")
    assert usage["total"] == 2
    ann, bob = usage["users"]
    assert (ann["user"], ann["running"], ann["finished"]) == ("ann", 1, 1)
    assert (ann["packets_up"], ann["bytes_up"]) == (2, 10)
    assert (bob["user"], bob["running"], bob["finished"], bob["bytes_up"]) == ("bob", 1, 0, 0)
    (most,) = (await place.get("usage?limit=1"))["users"]
    assert most["user"] == "ann"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "allocations?limit=0"),
        ("GET", "allocations?limit=1001"),
        ("GET", "allocations?after=x"),
        ("GET", "allocations?addresses=yes"),
        ("GET", "usage?limit=x"),
        ("DELETE", "allocations"),
        ("DELETE", "allocations?user="),
        ("DELETE", "allocations/x"),
        ("DELETE", "allocations/1-"),
        ("DELETE", "allocations/11111111111111111-1"),
    ],
)
async def test_what_makes_no_sense_is_refused(place: Place, method: str, path: str) -> None:
    await place.come("ann")
    answer = await place.http.request(method, f"/api/v1/turn/{path}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad"
    assert len(await place.turn.allocations()) == 1


ALL = [("GET", "allocations"), ("GET", "usage"), ("DELETE", "allocations?user=ann"), ("DELETE", "allocations/0-0")]


@pytest.mark.parametrize(("method", "path"), ALL)
async def test_without_a_turn_server_it_says_so(place: Place, method: str, path: str) -> None:
    place.service.turn = None
    answer = await place.http.request(method, f"/api/v1/turn/{path}")
    assert answer.status_code == 503
    error = answer.json()["error"]
    assert (error["code"], "--no-turn" in error["hint"]) == ("unavailable", True)


@pytest.mark.parametrize(("method", "path"), ALL)
async def test_who_is_not_the_operator_is_refused(place: Place, method: str, path: str) -> None:
    await place.come("ann")
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "192.0.2.7"}):
        answer = await place.http.request(method, f"/api/v1/turn/{path}", headers=headers)
        assert answer.status_code == 401
    assert len(await place.turn.allocations()) == 1


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:9090", "null"])
async def test_a_page_from_elsewhere_ends_no_allocation(place: Place, origin: str) -> None:
    await place.come("ann")
    answer = await place.http.delete("/api/v1/turn/allocations?user=ann", headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"
    assert len(await place.turn.allocations()) == 1
    answer = await place.http.delete("/api/v1/turn/allocations?user=ann", headers={"Origin": "http://localhost:8080"})
    assert answer.json() == {"kicked": 1}


async def test_an_engine_that_is_gone_is_told_and_not_waited_for(place: Place) -> None:
    place.turn._engine.close()
    answer = await place.http.get("/api/v1/turn/allocations")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")


async def test_metrics_have_no_user_in_them(place: Place) -> None:
    ann, _ = await place.come("ann")
    assert await ann.refresh(0) == 0
    await place.until_left(0)
    text = Metrics(place.turn.samples).text().decode()
    assert 'peerline_turn_freed_total{why="released"} 1.0' in text
    assert "ann" not in text.replace("channel", "")
