"""`peerline call` and `peerline send` in processes of their own, as somebody runs them at a terminal."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from system.server_process import PEERLINE

_PATIENCE_S = 30.0


class Terminal:
    """One program. With --json what it tells can be waited for; `folder` is its home and where it works."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.printed: list[str] = []
        self.events: list[dict[str, Any]] = []
        self._seen = 0
        self._news = asyncio.Condition()
        self._reading = [asyncio.create_task(self._read_output()), asyncio.create_task(self._read_errors())]

    @classmethod
    async def start(cls, folder: Path, *arguments: str | Path, **environment: str) -> Terminal:
        """`peerline ARGUMENTS`."""
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
        return cls(
            await asyncio.create_subprocess_exec(
                PEERLINE, *map(str, arguments), cwd=folder, stdin=PIPE, stdout=PIPE, stderr=PIPE,
                env={**os.environ, "PEERLINE_DATA_DIR": str(folder), "TERM": "dumb", **environment},
            )
        )  # fmt: skip

    async def type(self, text: str) -> None:
        """And press Enter."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        await self._process.stdin.drain()

    def end_input(self) -> None:
        """Ctrl-D."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def tells(self, event: str, **facts: Any) -> dict[str, Any]:
        """The next event of this kind that says this; those before it are passed over."""
        try:
            async with asyncio.timeout(_PATIENCE_S), self._news:
                while True:
                    for place, told in enumerate(self.events[self._seen :], self._seen + 1):
                        if told["event"] == event and facts.items() <= told.items():
                            self._seen = place
                            return told
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {event} {facts}; it told {self.events}, it printed {self.printed}") from None

    async def code(self) -> int:
        """The exit code, once it has ended by itself."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                code = await self._process.wait()
                await asyncio.gather(*self._reading)
                return code
        except TimeoutError:
            raise AssertionError(f"it did not end; it told {self.events}, it printed {self.printed}") from None

    def signal(self, number: int) -> None:
        """Tell it to go."""
        self._process.send_signal(number)

    async def end(self) -> None:
        """Whatever state it is in, it is gone afterwards."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def _read_output(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode().rstrip("\n")
            self.printed.append(text)
            if text.startswith('{"event"'):
                async with self._news:
                    self.events.append(json.loads(text))
                    self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.printed.append(line.decode().rstrip("\n"))
