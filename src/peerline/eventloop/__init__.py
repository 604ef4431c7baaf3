"""The order in which things happen, as in a browser and as in Node, on asyncio and uvloop. See docs/event-loop.md."""

from peerline.eventloop.node import (
    clear_immediate,
    clear_interval,
    clear_timeout,
    from_io,
    next_tick,
    on_close,
    queue_pending,
    set_immediate,
    set_interval,
    set_timeout,
)
from peerline.eventloop.operations import OperationsChain
from peerline.eventloop.phases import Immediate
from peerline.eventloop.run import run
from peerline.eventloop.tasks import queue_microtask, queue_task
from peerline.eventloop.timers import Timeout
from peerline.jobs import Promise, promise, promising

__all__ = [
    "Immediate",
    "OperationsChain",
    "Promise",
    "Timeout",
    "clear_immediate",
    "clear_interval",
    "clear_timeout",
    "from_io",
    "next_tick",
    "on_close",
    "promise",
    "promising",
    "queue_microtask",
    "queue_pending",
    "queue_task",
    "run",
    "set_immediate",
    "set_interval",
    "set_timeout",
]
