"""The server goes, and comes back: SIGTERM, SIGKILL, in the middle of everything."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from client import Client, Kind
from client.conversation import both_up, hear_each_other, talk
from system.conftest import Enter, Serve
from system.server_process import ServerProcess, standalone


async def test_sigterm_says_drain_to_everybody_and_ends_well(serve: Serve, enter: Enter) -> None:
    server = serve("--no-db")
    kinds: list[Kind] = ["websocket", "sse", "poll"]
    clients = [await enter(server, f"Guest {n}", kinds[n % 3]) for n in range(12)]
    await talk(clients[0], clients[1])
    assert await asyncio.to_thread(server.stop) == 0
    for client in clients:
        gone = await client.wait_closed()
        if client.kind == "websocket":
            assert gone.code == 1012
        if client.kind == "poll" and client.bye is None:
            continue  # it was between two polls
        assert client.bye is not None, client.kind
        assert (client.bye["why"], client.bye["act"]) == ("drain", "resume")


async def test_sigterm_without_anybody_there_ends_well(serve: Serve) -> None:
    assert serve("--no-db").stop() == 0
    assert serve().stop() == 0


async def test_sigint_ends_well_too(serve: Serve, enter: Enter) -> None:
    server = serve("--no-db")
    await enter(server, "Ann")
    server.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(server.process.wait, 15) == 0


def story(call: str, peer: Client, role: str) -> dict[str, object]:
    return {"call": call, "peer": peer.u, "role": role, "live": True, "media": ["a", "v"]}


@pytest.mark.parametrize("store", ["--no-db", "sqlite"])
async def test_a_call_outlives_one_restart_after_the_other(
    serve: Serve, enter: Enter, transport: Kind, store: str
) -> None:
    server = serve(*(["--no-db"] if store == "--no-db" else []))
    ann, bob = await enter(server, "Ann", transport), await enter(server, "Bob", transport)
    call = await talk(ann, bob)
    await ann.request("history")  # which is written down by now
    ways: list[Callable[[], object]] = [server.kill, server.stop, server.kill]
    for end in ways:
        await asyncio.to_thread(end)
        for client in (ann, bob):
            await client.wait_closed()
            await client.abort_socket()
        await asyncio.to_thread(server.start)
        for client in (ann, bob):
            assert await client.resume() is False
        await ann.request("sync", calls=[story(call, bob, "caller")])
        await bob.request("sync", calls=[story(call, ann, "callee")])
        await both_up(ann, bob, call)
        await hear_each_other(ann, bob, call)
    await ann.request("end", call)
    assert (await bob.expect("end", call))["d"]["why"] == "hangup"
    if store == "sqlite":
        (entry,) = (await ann.request("history"))["calls"]
        assert entry["call"] == call
        assert entry["why"] == "hangup"
        assert entry["started"] <= entry["answered"] <= entry["ended"]


async def test_a_call_that_nobody_takes_up_again_has_an_end_in_the_history(serve: Serve, enter: Enter) -> None:
    server = serve(signaling={"sync_s": 0.5, "grace_s": 0.5})
    ann, bob = await enter(server, "Ann"), await enter(server, "Bob")
    call = await talk(ann, bob)
    await ann.request("history")  # which is written down by now
    await asyncio.to_thread(server.kill)
    await ann.wait_closed()
    await asyncio.to_thread(server.start)
    assert await ann.resume() is False

    async with asyncio.timeout(20):
        while True:
            (entry,) = (await ann.request("history"))["calls"]
            assert entry["call"] == call
            if entry["ended"] is not None:
                break
            await asyncio.sleep(0.05)


async def test_a_port_that_is_taken_is_said_clearly(serve: Serve, tmp_path: Path) -> None:
    server = serve("--no-db")
    second: ServerProcess = standalone(tmp_path / "second", "--no-db")
    second.port = server.port
    with pytest.raises(AssertionError, match="ended at once"):
        second.start()
    assert second.process.returncode not in (0, -9)
    assert str(server.port) in second.printed()
    assert "Traceback" not in second.printed()
