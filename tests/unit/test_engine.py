"""The engine as Python holds it: life, events, handles, errors."""

import asyncio
import errno
import select
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest

from peerline import _core
from peerline.engine import Engine

PATIENCE_S = 20.0


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(shards=2) as engine:
        yield engine


@pytest.fixture
def core() -> Iterator[_core.Engine]:
    core = _core.Engine(2)
    yield core
    core.close()


def drained(core: _core.Engine, count: int) -> list[tuple[int, int, int | str | None]]:
    events: list[tuple[int, int, int | str | None]] = []
    given_up = time.monotonic() + PATIENCE_S
    while len(events) < count:
        assert time.monotonic() < given_up, f"only these came: {events}"
        events += core.drain(1000)
    return events


def is_readable(core: _core.Engine, within_s: float) -> bool:
    return bool(select.select([core.fileno()], [], [], within_s)[0])


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_ping_comes_back_from_every_shard(engine: Engine) -> None:
    engine.attach(asyncio.get_running_loop())
    async with asyncio.timeout(PATIENCE_S):
        await engine.ping()
        await asyncio.gather(*(engine.ping() for _ in range(50)))
    assert engine.stats().events_published == 51 * 2


async def test_a_ping_needs_the_running_loop(engine: Engine) -> None:
    with pytest.raises(RuntimeError, match="not attached"):
        await engine.ping()


async def test_closing_ends_a_ping_that_waits(engine: Engine) -> None:
    engine.attach(asyncio.get_running_loop())
    ping = asyncio.create_task(engine.ping())
    await asyncio.sleep(0)
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        await ping


def test_closing_twice_is_closing_once(engine: Engine) -> None:
    listener = engine.stun_listen("127.0.0.1", 0)
    engine.close()
    engine.close()
    listener.close()
    assert engine.is_closed
    assert not listener.is_open
    assert engine.stats().shards == 2


async def test_a_closed_engine_refuses_work(engine: Engine) -> None:
    engine.attach(asyncio.get_running_loop())
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        engine.stun_listen("127.0.0.1", 0)
    with pytest.raises(RuntimeError, match="closed"):
        engine.attach(asyncio.get_running_loop())


def test_an_engine_survives_the_loop_it_was_attached_to(engine: Engine) -> None:
    loop = asyncio.new_event_loop()
    engine.attach(loop)
    engine.attach(loop)
    other = asyncio.new_event_loop()
    with pytest.raises(RuntimeError, match="another event loop"):
        engine.attach(other)
    other.close()
    loop.close()
    engine.close()


@pytest.mark.parametrize("shards", [0, 4097])
def test_a_senseless_number_of_shards_is_refused(shards: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 4096"):
        Engine(shards)


def test_the_default_number_of_shards_leaves_a_core_to_python() -> None:
    with Engine() as engine:
        assert 1 <= engine.stats().shards <= 4


def test_a_taken_port_is_an_oserror_with_its_errno(engine: Engine) -> None:
    first = engine.stun_listen("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use") as refused:
        engine.stun_listen("127.0.0.1", first.port)
    assert refused.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError, match="assign") as refused:
        engine.stun_listen("192.0.2.1", 0)
    assert refused.value.errno == errno.EADDRNOTAVAIL


def test_a_port_taken_by_somebody_else_is_left_alone(engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            engine.stun_listen("127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize("host", ["", "localhost", "stun.example", "127.0.0.1:80", "1.2.3.4.5", "[::1]", "\ud800"])
def test_a_host_that_is_no_address_is_refused(engine: Engine, host: str) -> None:
    with pytest.raises(ValueError, match="host must be"):
        engine.stun_listen(host, 0)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(engine: Engine, port: int) -> None:
    with pytest.raises(ValueError, match="port must be"):
        engine.stun_listen("127.0.0.1", port)


def test_limits_that_answer_nobody_are_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="answers_per_second"):
        engine.stun_listen("127.0.0.1", 0, answers_per_second=0)
    with pytest.raises(ValueError, match="burst"):
        engine.stun_listen("127.0.0.1", 0, burst=0)


async def test_a_closed_listener_gives_its_port_back(engine: Engine) -> None:
    engine.attach(asyncio.get_running_loop())
    listener = engine.stun_listen("127.0.0.1", 0)
    listener.close()
    listener.close()
    assert not listener.is_open
    assert listener.failure is None
    async with asyncio.timeout(PATIENCE_S):
        await engine.ping()
    again = engine.stun_listen("127.0.0.1", listener.port)
    assert again.address == listener.address
    assert again.is_open


def test_stale_handles_have_no_effect(core: _core.Engine) -> None:
    handle, _, port = core.stun_listen("127.0.0.1", 0, 0, None, 1)
    core.close_handle(handle)
    assert drained(core, 1) == [(_core.EVENT_CLOSED, handle, None)]
    successor, _, _ = core.stun_listen("127.0.0.1", port, 0, None, 1)
    assert successor != handle
    for stale in (handle, 0, 2**64 - 1):
        core.close_handle(stale)
    for shard in (0, 1):
        core.ping(shard, shard)
    assert {event[0] for event in drained(core, 2)} == {_core.EVENT_PONGED}
    with pytest.raises(OSError, match="in use"):
        core.stun_listen("127.0.0.1", port, 0, None, 1)


def test_the_descriptor_is_readable_exactly_while_events_wait(core: _core.Engine) -> None:
    assert not is_readable(core, 0)
    core.ping(0, 5, count=3, batch=3)
    assert is_readable(core, PATIENCE_S)
    one_by_one = [core.drain(1) for _ in range(3)]
    assert one_by_one == [[(_core.EVENT_PONGED, 5, sequence)] for sequence in range(3)]
    assert not is_readable(core, 0)
    core.ping(0, 6)
    assert is_readable(core, PATIENCE_S)


def test_no_event_is_lost_when_there_are_more_than_the_queue_holds(core: _core.Engine) -> None:
    count = _core.EVENT_QUEUE_CAPACITY + 1000
    core.ping(1, 7, count=count, batch=333)
    events = drained(core, count)
    assert [event[2] for event in events] == list(range(count))


def test_events_can_be_drained_after_closing(core: _core.Engine) -> None:
    core.ping(0, 1)
    assert is_readable(core, PATIENCE_S)
    core.close()
    assert core.drain(10) == [(_core.EVENT_PONGED, 1, 0)]
    assert core.drain(10) == []


def test_an_engine_inherited_by_fork_is_refused_and_does_not_hang() -> None:
    result = run_python("""
        import os
        from peerline.engine import Engine

        engine = Engine(shards=2)
        listener = engine.stun_listen("127.0.0.1", 0)
        calls = {
            "listen": lambda: engine.stun_listen("127.0.0.1", 0),
            "stats": engine.stats, "close": engine.close, "listener": listener.close,
        }
        child = os.fork()
        if child == 0:
            for name, call in calls.items():
                try:
                    call()
                except RuntimeError as error:
                    print(name, "fork" in str(error), flush=True)
            with Engine(shards=1) as own:
                print("own", own.stun_listen("127.0.0.1", 0).is_open, flush=True)
            raise SystemExit
        _, status = os.waitpid(child, 0)
        print("child", status, listener.is_open)
        engine.close()
    """)
    assert result.stderr == ""
    assert result.stdout.split("\n")[:-1] == [
        "listen True",
        "stats True",
        "close True",
        "listener True",
        "own True",
        "child 0 True",
    ]


@pytest.mark.parametrize("ending", ["", "del engine", "raise SystemExit", "engine.close()"])
def test_an_engine_never_keeps_the_process_alive(ending: str) -> None:
    result = run_python(f"""
        from peerline.engine import Engine
        engine = Engine(shards=4)
        engine.stun_listen("127.0.0.1", 0)
        {ending}
    """)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_no_address_is_in_a_listeners_repr(engine: Engine) -> None:
    assert "127.0.0.1" not in repr(engine.stun_listen("127.0.0.1", 0))


def test_the_core_has_only_the_names_its_stub_tells() -> None:
    public = {name for name in dir(_core) if not name.startswith("_")}
    kinds = ["PONGED", "CLOSED", "FAILED", "SHARD_FAILED", "QUEUE_CAPACITY"]
    kinds += ["TURN_ALLOCATED", "TURN_FREED", "TURN_ASKED", "TURN_LISTED", "PEER"]
    names = {"Certificate", "Engine", "Peer", "ice_credentials", "rest_password"}
    assert public == names | {f"EVENT_{kind}" for kind in kinds}
    methods = {name for name in dir(_core.Engine) if not name.startswith("_")}
    assert methods == {
        "close",
        "close_handle",
        "drain",
        "fileno",
        "is_closed",
        "ping",
        "shards",
        "stats",
        "stun_listen",
        "turn_decide",
        "turn_drain",
        "turn_kick",
        "turn_list",
        "turn_listen",
        "turn_recertify",
        "turn_reload",
    }
    with pytest.raises(AttributeError):
        _core.Engine(1).shards = 3  # type: ignore[misc]
