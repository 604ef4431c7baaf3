"""A client that never reads is disconnected, and costs the server a bounded amount of memory."""

from __future__ import annotations

import asyncio
from typing import Any

from client import Client, ClosedError, Kind
from client.conversation import hear_each_other, settle, talk
from system.conftest import Enter, Serve
from system.server_process import ServerProcess

SIZE = 60_000
MESSAGES = 1_500  # 90 MB in all: far more than the kernel's buffers and the server's limits together
ALLOWED_BYTES = 30 << 20


async def told_offline(watcher: Client, person: Client) -> None:
    def tells(message: dict[str, Any]) -> bool:
        return any(e["u"] == person.u and e["st"] == "offline" for e in message["d"]["people"])

    await watcher.expect("pres", where=tells, timeout_s=30)


async def send_much(ann: Client, call: str, server: ServerProcess) -> int:
    """Ann talks until all is said; return the most memory that the server had meanwhile."""
    highest = 0
    for number in range(MESSAGES):
        await ann.notify("info", call, k="much", number=number, text="x" * SIZE)
        if number % 50 == 0:
            highest = max(highest, server.memory_bytes())
            await asyncio.sleep(0)
    return max(highest, server.memory_bytes())


async def test_who_does_not_read_is_gone_and_memory_stays(serve: Serve, enter: Enter, transport: Kind) -> None:
    server = serve("--no-db", signaling={"linger_s": 0.5, "grace_s": 1.0})
    ann, bob = await enter(server, "Ann"), await enter(server, "Bob", transport)
    eve, zoe = await enter(server, "Eve"), await enter(server, "Zoe")
    await eve.request("watch")
    call, other_call = await talk(ann, bob), await talk(eve, zoe)
    await settle(ann, bob, eve, zoe)
    before = server.memory_bytes()
    bob.stop_reading()
    highest = await send_much(ann, call, server)
    assert highest - before < ALLOWED_BYTES
    await told_offline(eve, bob)
    assert (await ann.expect("end", call, timeout_s=30))["d"]["why"] == "lost"
    await hear_each_other(eve, zoe, other_call)
    assert server.memory_bytes() - before < ALLOWED_BYTES


async def test_acknowledging_without_reading_does_not_help(serve: Serve, enter: Enter) -> None:
    """What was acknowledged is out of the outbox, but it is still in the socket."""
    server = serve("--no-db", signaling={"linger_s": 0.5, "grace_s": 1.0})
    ann, bob, eve = await enter(server, "Ann"), await enter(server, "Bob"), await enter(server, "Eve")
    await eve.request("watch")
    call = await talk(ann, bob)
    await settle(ann, bob)
    had = max(message["s"] for message in bob.log)
    before = server.memory_bytes()
    bob.stop_reading()
    highest = before
    for number in range(MESSAGES):
        await ann.notify("info", call, k="much", number=number, text="x" * SIZE)
        if number % 8 == 7:
            await settle(ann)  # so that the server has sent what is acknowledged now
            try:
                await bob.raw(b'{"t":"ack","a":%d}' % (had + number + 1))
            except ClosedError:
                break
            highest = max(highest, server.memory_bytes())
    assert highest - before < ALLOWED_BYTES
    await told_offline(eve, bob)
    await settle(ann, eve)
