"""The other end in a process of its own, so that what sending and what receiving costs can be told apart."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Far", "serve"]

# A line holds a description, or what was seen of a whole run.
_LONGEST = 16 << 20


class Far:
    """Questions and answers are lines of JSON on the pipes of the process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, case: str, implementation: str) -> Far:
        """The same program and the same case, as the one that receives."""
        command = (sys.executable, sys.argv[0], case, "--impl", implementation, "--far")
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=_LONGEST))

    async def ask(self, what: str, *details: Any) -> Any:
        """What it answers. Raises RuntimeError if it is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, *details]).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the far end is gone while asked for {what}")
        return json.loads(line)

    async def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


async def serve(answers: Mapping[str, Callable[..., Any]]) -> None:
    """Answer until the one who asks is gone."""
    reader = asyncio.StreamReader(limit=_LONGEST)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb"))
    while line := await reader.readline():
        what, *details = json.loads(line)
        found = answers[what](*details)
        print(json.dumps(await found if inspect.isawaitable(found) else found), flush=True)
