"""The usual course of a call, for tests that begin where it is ringing or up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .client import Client
from .delivery import Message
from .ulid import ulid


async def ring(caller: Client, *callees: Client, ttl_ms: int | None = None, call: str | None = None) -> str:
    """The caller calls the person whose devices `callees` are; return the token when they all ring."""
    call = call or ulid()
    asked: dict[str, Any] = {"to": f"u/{callees[0].u}", "media": ["a", "v"]}
    if ttl_ms is not None:
        asked["ttl_ms"] = ttl_ms
    await caller.request("call", call, **asked)
    for callee in callees:
        await callee.expect("ring", call)
    return call


async def talk(caller: Client, callee: Client) -> str:
    """The two are in a call; return its token."""
    call = await ring(caller, callee)
    await callee.request("accept", call, media=["a", "v"])
    await both_up(caller, callee, call)
    return call


async def both_up(caller: Client, callee: Client, call: str) -> None:
    await caller.expect("up", call)
    await callee.expect("up", call)


async def settle(*clients: Client) -> None:
    """A round trip each: all that the server had sent to these clients before has now arrived."""
    for client in clients:
        await client.request("seen", calls=[])


async def hear_each_other(one: Client, other: Client, call: str) -> None:
    """What one says in the call reaches the other, both ways."""
    for speaker, listener in ((one, other), (other, one)):
        said = {"k": "hear", "who": speaker.u, "token": ulid()}
        await speaker.notify("info", call, **said)
        heard = await listener.expect("info", call, where=_holds(said))
        assert heard["from"] == {"u": speaker.u, "n": speaker.welcome["me"]["n"]}


def _holds(body: Message) -> Callable[[Message], bool]:
    return lambda message: message.get("d") == body
