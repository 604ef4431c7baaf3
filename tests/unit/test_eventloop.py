"""Tasks, microtasks, promises and the operations chain, on asyncio and on uvloop."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from peerline.errors import InvalidStateError, LoopError
from peerline.eventloop import (
    OperationsChain,
    Promise,
    clear_timeout,
    next_tick,
    promise,
    promising,
    queue_microtask,
    queue_task,
    run,
    set_immediate,
    set_interval,
    set_timeout,
)
from peerline.events import Event, EventTarget, fire

Factory = Callable[[], asyncio.AbstractEventLoop]
Main = Callable[[], Coroutine[Any, Any, Any]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def factory(request: pytest.FixtureRequest) -> Factory:
    made: Factory = request.param
    return made


def in_loop(factory: Factory, main: Main) -> Any:
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())


def test_a_checkpoint_follows_each_listener_of_what_a_task_fires_but_not_inside_dispatch_event(
    factory: Factory,
) -> None:
    async def main() -> None:
        log: list[str] = []
        target = EventTarget()
        over: Promise[None] = Promise()

        def listener(name: str) -> Callable[[Event], None]:
            def heard(event: Event) -> None:
                log.append(name)
                queue_microtask(log.append, f"micro of {name}")

            return heard

        target.addEventListener("x", listener("L1"))
        target.addEventListener("x", listener("L2"))
        queue_task("test", lambda: fire(target, Event("x")))
        queue_task("test", over.resolve)
        log.append("sync")
        await over
        assert log == ["sync", "L1", "micro of L1", "L2", "micro of L2"]
        log.clear()
        target.dispatchEvent(Event("x"))
        log.append("sync")
        await asyncio.sleep(0)
        assert log == ["L1", "L2", "sync", "micro of L1", "micro of L2"]

    in_loop(factory, main)


def test_a_promise_starts_at_once_and_runs_without_being_awaited(factory: Factory) -> None:
    async def main() -> None:
        log: list[str] = []
        over = asyncio.Event()

        @promising
        async def work(word: str) -> str:
            log.append("starts")
            await asyncio.sleep(0)
            log.append(word)
            over.set()
            return word

        work("alone")
        log.append("after")
        await over.wait()
        assert log == ["starts", "after", "alone"]
        assert list(await asyncio.gather(work("a"), asyncio.create_task(work("b")))) == ["a", "b"]
        assert await asyncio.wait_for(work("c"), 5) == "c"
        with pytest.raises(TypeError):
            await work()  # type: ignore[call-arg]

    in_loop(factory, main)


def test_an_error_that_nobody_awaits_is_reported_and_one_that_is_awaited_is_not(factory: Factory) -> None:
    async def main() -> None:
        reported: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context["exception"]))

        async def fail(word: str) -> None:
            await asyncio.sleep(0)
            raise ValueError(word)

        with pytest.raises(ValueError, match="awaited"):
            await promise(fail("awaited"))
        promise(fail("forgotten"))
        for _ in range(5):
            await asyncio.sleep(0)
        gc.collect()
        assert [str(error) for error in reported] == ["forgotten"]

    in_loop(factory, main)


def test_who_stops_waiting_stops_nothing(factory: Factory) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def work() -> str:
            await gate.wait()
            return "done"

        running = promise(work())
        waiting = asyncio.ensure_future(running)
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.set()
        assert await running == "done"

    in_loop(factory, main)


def test_timeouts_and_task_groups_work_inside_a_promise(factory: Factory) -> None:
    async def main() -> None:
        async def work() -> str:
            outer = asyncio.current_task()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
            async with asyncio.TaskGroup() as group:
                task = group.create_task(asyncio.sleep(0, "slept"))
            assert asyncio.current_task() is outer
            return task.result()

        assert await promise(work()) == "slept"

    in_loop(factory, main)


def test_operations_run_one_after_the_other_and_an_error_breaks_no_chain(factory: Factory) -> None:
    async def main() -> None:
        log: list[str] = []
        chain = OperationsChain(on_empty=lambda: log.append("empty"))

        def operation(name: str, error: Exception | None = None) -> Main:
            async def work() -> str:
                log.append(f"{name} begins")
                await asyncio.sleep(0)
                log.append(f"{name} ends")
                if error is not None:
                    raise error
                return name

            return work

        first, second = chain.chain(operation("first", ValueError("x"))), chain.chain(operation("second"))
        assert log == ["first begins"], "at once, if nothing waits"
        with pytest.raises(ValueError, match="x"):
            await first
        assert await second == "second"
        await asyncio.sleep(0)
        assert log == ["first begins", "first ends", "second begins", "second ends", "empty"]
        assert chain.is_empty

    in_loop(factory, main)


def test_a_closed_chain_rejects_what_is_new_and_settles_nothing_old(factory: Factory) -> None:
    async def main() -> None:
        closed = False
        chain = OperationsChain(lambda: closed)
        gate = asyncio.Event()

        async def work() -> None:
            await gate.wait()

        old = chain.chain(work)
        closed = True
        gate.set()
        with pytest.raises(InvalidStateError):
            await chain.chain(work)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not old.is_settled

    in_loop(factory, main)


def test_run_gives_what_main_returns_and_waits_for_timers_but_not_for_unreferenced_ones(factory: Factory) -> None:
    log: list[str] = []

    def main() -> str:
        set_timeout(log.append, 1, "timer")
        set_interval(log.append, 10**6, "never").unref()
        set_immediate(next_tick, log.append, "tick")
        clear_timeout(set_timeout(log.append, 10**6, "never"))
        return "result"

    async def later() -> str:
        await asyncio.sleep(0)
        return "later"

    assert run(main, loop_factory=factory) == "result"
    assert sorted(log) == ["tick", "timer"]
    assert run(later, loop_factory=factory) == "later"


def test_run_raises_what_main_raises(factory: Factory) -> None:
    def main() -> None:
        raise ValueError("of the script")

    async def later() -> None:
        await asyncio.sleep(0)
        raise ValueError("of the coroutine")

    with pytest.raises(ValueError, match="of the script"):
        run(main, loop_factory=factory)
    with pytest.raises(ValueError, match="of the coroutine"):
        run(later, loop_factory=factory)


def test_without_a_loop_the_error_says_what_to_do() -> None:
    for act in (lambda: queue_task("x", print), lambda: queue_microtask(print), lambda: set_timeout(print)):
        with pytest.raises(LoopError, match="no event loop") as error:
            act()
        assert error.value.code == "no-loop"
        assert "asyncio.run" in (error.value.hint or "")

    async def work() -> int:
        return 5

    assert asyncio.run(promise(work())) == 5, "it starts when it is awaited"


def test_a_forked_child_is_refused_what_belongs_to_its_parent(factory: Factory) -> None:
    async def main() -> int:
        waits: Promise[None] = Promise()
        child = os.fork()
        if child == 0:
            try:
                waits.__await__().send(None)
            except LoopError as error:
                os._exit(0 if error.code == "forked" else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)  # noqa: ASYNC222  # the child does nothing but end
        return os.waitstatus_to_exitcode(status)

    assert in_loop(factory, main) == 0
