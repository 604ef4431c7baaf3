"""Runs a program given as JSON on our loop: the twin of program.js. Time passes only where a callback waits."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peerline.eventloop import (
    clear_immediate,
    clear_interval,
    clear_timeout,
    from_io,
    next_tick,
    on_close,
    promise,
    queue_microtask,
    run,
    set_immediate,
    set_interval,
    set_timeout,
)
from peerline.eventloop.driver import driver
from peerline.eventloop.phases import Immediate
from peerline.events import Event, EventTarget
from peerline.jobs import Promise, jobs

NODE = shutil.which("node")
SCRIPT = Path(__file__).with_name("program.js")
WAITS_MS = {"interval": 4, "io": 6}

Step = dict[str, Any]


def in_node(program: Step) -> list[str]:
    """The trace that Node leaves."""
    assert NODE is not None
    command = [NODE, "--no-warnings", str(SCRIPT), json.dumps(program)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    trace: list[str] = json.loads(ran.stdout)
    return trace


def here(program: Step, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> list[str]:
    """The trace that we leave."""
    return _Program().run(program, loop_factory)


class _Program:
    def __init__(self) -> None:
        self.trace: list[str] = []
        self.handles: dict[str, Any] = {}
        self.target = EventTarget()
        self.now_ms = 1000

    def run(self, program: Step, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> list[str]:
        def main() -> None:
            driver().clock = lambda: self.now_ms
            self.body(program)

        run(main, loop_factory=loop_factory)
        return self.trace

    def body(self, node: Step) -> None:
        self.trace.append(node["name"])
        wait_ms = 0
        for step in node["steps"]:
            self.start(step)
            own_ms = step["ms"] + 2 if "ms" in step else WAITS_MS.get(step["kind"], 0)
            wait_ms = max(wait_ms, own_ms)
        self.now_ms += wait_ms

    def schedule(self, kind: str, step: Step, callback: Callable[[], Any]) -> None:
        if kind == "tick":
            next_tick(callback)
        elif kind == "micro":
            queue_microtask(callback)
        elif kind == "timeout":
            self.handles[step["name"]] = set_timeout(callback, step["ms"])
        elif kind == "immediate":
            self.handles[step["name"]] = set_immediate(callback)
        elif kind == "close":
            on_close(callback)
        else:
            self.poll(callback)

    def poll(self, callback: Callable[[], Any]) -> None:
        """Something arrives at a real socket."""
        reader, writer = socket.socketpair()
        writer.send(b"x")
        loop = jobs().loop
        alive = set_timeout(lambda: None, 2**30)  # the program is not over before it came

        def arrived() -> None:
            loop.remove_reader(reader)
            reader.close()
            writer.close()
            clear_timeout(alive)
            polled()

        polled = from_io(callback)
        loop.add_reader(reader, arrived)

    def start(self, step: Step) -> None:
        kind = step["kind"]
        if kind == "clear":
            handle = self.handles.get(step["of"])
            if isinstance(handle, Immediate):
                clear_immediate(handle)
            else:
                clear_timeout(handle)
        elif kind == "interval":
            self.interval(step)
        elif kind == "async":
            promise(self.later(step))
        elif kind == "event":
            for listener in step["listeners"]:
                self.target.addEventListener(step["name"], lambda _event, node=listener: self.body(node))
            self.target.dispatchEvent(Event(step["name"]))
            self.trace.append(step["name"] + " dispatched")
        else:
            self.schedule(kind, step, lambda: self.body(step))

    def interval(self, step: Step) -> None:
        left = step["times"]

        def again() -> None:
            nonlocal left
            self.body(step)
            left -= 1
            if left == 0:
                clear_interval(handle)
            self.now_ms += 3

        handle = set_interval(again, 1)

    async def later(self, step: Step) -> None:
        self.trace.append(step["name"] + " begins")
        waits: Promise[None] = Promise()
        self.schedule(step["until"], step, waits.resolve)
        await waits
        self.body(step)
