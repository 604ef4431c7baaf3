"""The boundary between the packet core and asyncio: events per second into the loop, and CPU for each event.

    python benchmarks/bench_boundary.py [--events 200000] [--repeat 3] [--json]

Three ways to bring an event from another thread to a Python callback on the loop:

- `engine`: the shard publishes batches, the loop's reader drains up to one batch at a call. The events are real
  answers to the engine's `ping` command.
- `call_soon_threadsafe`, the baseline: a thread calls it once for each event. It is a Python thread, which flatters
  the baseline: a native thread would have to attach to the interpreter besides.

and two situations:

- `stream`: the source never waits, so the loop is never asleep.
- `wake`: the source sends the next batch only when the last one has been handled, so that every batch finds the
  loop asleep and has to wake it.

`loop CPU` is the CPU time of the loop's thread for one event, `all CPU` that of the whole process, both in
microseconds. The best of `--repeat` runs is shown: noise only ever adds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

from peerline import _core

BATCHES = (1, 10, 100, 1000)
# A lone event in `wake` costs two context switches; fewer of them give the same figure sooner.
WAKES_AT_MOST = 20_000


@dataclass(frozen=True)
class Result:
    loop: str
    source: str
    situation: str
    batch: int
    events: int
    events_per_s: float
    loop_cpu_us: float
    all_cpu_us: float


class Stopwatch:
    """Wall clock, CPU of this thread and CPU of the process, from one moment on."""

    def __init__(self) -> None:
        self.start = (time.perf_counter_ns(), time.thread_time_ns(), time.process_time_ns())

    def result(self, loop: str, source: str, situation: str, batch: int, events: int) -> Result:
        now = (time.perf_counter_ns(), time.thread_time_ns(), time.process_time_ns())
        wall, thread, process = (end - start for end, start in zip(now, self.start, strict=True))
        return Result(
            loop=loop,
            source=source,
            situation=situation,
            batch=batch,
            events=events,
            events_per_s=events * 1e9 / wall,
            loop_cpu_us=thread / events / 1000,
            all_cpu_us=process / events / 1000,
        )


async def engine(loop_name: str, situation: str, batch: int, events: int) -> Result:
    """Pongs from a shard of the engine."""
    loop = asyncio.get_running_loop()
    core = _core.Engine(1)
    done = loop.create_future()
    seen = 0

    def on_events() -> None:
        nonlocal seen
        for _kind, _token, _sequence in core.drain(batch):
            seen += 1
        if seen == events:
            done.set_result(None)
        elif situation == "wake" and seen % batch == 0:
            core.ping(0, 0, batch, batch)

    loop.add_reader(core.fileno(), on_events)
    watch = Stopwatch()
    core.ping(0, 0, events if situation == "stream" else batch, batch)
    await done
    result = watch.result(loop_name, "engine", situation, batch, events)
    loop.remove_reader(core.fileno())
    core.close()
    return result


async def call_soon_threadsafe(loop_name: str, situation: str, batch: int, events: int) -> Result:
    """The same number of callbacks, each scheduled by itself from a thread."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    gate = threading.Semaphore(0)
    seen = 0

    def on_event(_kind: int, _token: int, _sequence: int) -> None:
        nonlocal seen
        seen += 1
        if seen == events:
            done.set_result(None)
        elif situation == "wake" and seen % batch == 0:
            gate.release()

    def stream() -> None:
        for sequence in range(events):
            loop.call_soon_threadsafe(on_event, 1, 0, sequence)

    def bursts() -> None:
        for first in range(0, events, batch):
            for sequence in range(first, first + batch):
                loop.call_soon_threadsafe(on_event, 1, 0, sequence)
            if first + batch < events:
                gate.acquire()

    thread = threading.Thread(target=stream if situation == "stream" else bursts)
    watch = Stopwatch()
    thread.start()
    await done
    result = watch.result(loop_name, "call_soon_threadsafe", situation, batch, events)
    thread.join()
    return result


def loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loops to be had here."""
    found: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop
    except ImportError:
        print("uvloop is not installed: measured on asyncio alone", file=sys.stderr)
    else:
        found["uvloop"] = uvloop.new_event_loop
    return found


def measure(events: int, repeat: int) -> list[Result]:
    """Every loop, source, situation and batch, best of `repeat`."""
    results = []
    for loop_name, new_loop in loops().items():
        for situation in ("stream", "wake"):
            for batch in BATCHES:
                count = events if situation == "stream" else min(events, WAKES_AT_MOST * batch)
                count -= count % batch
                # In a stream the baseline knows no batches: one row says it all.
                sources = [engine] if situation == "stream" and batch > 1 else [engine, call_soon_threadsafe]
                for source in sources:
                    runs = [run(new_loop, source(loop_name, situation, batch, count)) for _ in range(repeat)]
                    results.append(min(runs, key=lambda result: result.loop_cpu_us))
    return results


def run(new_loop: Callable[[], asyncio.AbstractEventLoop], main: Coroutine[Any, Any, Result]) -> Result:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)


def table(results: list[Result]) -> str:
    """For people; the last column is the baseline's loop CPU over the engine's, in the same situation."""
    lines = [
        f"{'loop':8} {'situation':9} {'source':21} {'batch':>5} {'events/s':>11} "
        f"{'loop CPU µs':>11} {'all CPU µs':>10} {'ratio':>6}"
    ]
    for it in results:
        base = next(
            base
            for base in results
            if base.source == "call_soon_threadsafe"
            and (base.loop, base.situation) == (it.loop, it.situation)
            and (it.situation == "stream" or base.batch == it.batch)
        )
        ratio = base.loop_cpu_us / it.loop_cpu_us
        batch = "-" if it.source == "call_soon_threadsafe" and it.situation == "stream" else str(it.batch)
        lines.append(
            f"{it.loop:8} {it.situation:9} {it.source:21} {batch:>5} {it.events_per_s:>11,.0f} "
            f"{it.loop_cpu_us:>11.3f} {it.all_cpu_us:>10.3f} {ratio:>6.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=200_000, help="events in each measurement")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the best one counts")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    if options.events < max(BATCHES) or options.repeat < 1:
        parser.error(f"--events must be at least {max(BATCHES)}, --repeat at least 1")
    results = measure(options.events, options.repeat)
    if options.json:
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        print(json.dumps({"machine": machine, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(table(results))


if __name__ == "__main__":
    main()
