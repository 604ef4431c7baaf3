"""A conversation from a terminal: typed lines go out, messages come in, files are taken."""

from __future__ import annotations

import asyncio
from pathlib import Path

from peerline.cli.call_screen import Screen, plain, sized
from peerline.cli.call_typed import TypedLines, pieces
from peerline.client import Call, CallOverError, IncomingFile, TransferError
from peerline.client.chat import MAX_TEXT

__all__ = ["Talk"]

_GOOD_ENDS = ("hangup",)
_STATES = {
    "ringing": "It rings at {name}.",
    "connecting": "{name} has answered.",
    "connected": "Connected with {name}. Ctrl-D hangs up.",
    "reconnecting": "The connection to {name} is disturbed…",
}


class Talk:
    """One call. `folder`: where files go without asking; without it they are taken on a yes, into this folder."""

    def __init__(
        self, call: Call, screen: Screen, lines: TypedLines, *, folder: Path | None, hangs_up_at_end: bool
    ) -> None:
        self._call = call
        self._screen = screen
        self._lines = lines
        self._folder = folder
        self._hangs_up_at_end = hangs_up_at_end
        self._asks = lines.is_terminal and not screen.as_json
        self._question: asyncio.Future[bool] | None = None
        self._moving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until one of the two hangs up. Raises CallOverError if it ends in another way."""
        call = self._call
        # These end with the call, unless they fail: then so does the call.
        showing = [asyncio.create_task(work()) for work in (self._show_states, self._show_messages, self._take_files)]
        typing = None
        try:
            async with call:
                typing = asyncio.create_task(self._type())
                await asyncio.wait(showing, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            if typing is not None:
                typing.cancel()
            await asyncio.wait(showing)
            if self._moving:
                await asyncio.wait(self._moving)
        for task in showing:
            task.result()
        why = await call.ended()
        if why not in _GOOD_ENDS:
            raise CallOverError(f"the call with {call.peer.n} broke off: {why}", code=why)
        self._screen.note("end", f"The call with {plain(call.peer.n)} is over.", why=why)

    def _is_answer(self, line: str) -> bool:
        """Whether the line was the answer to a question."""
        word = line.strip().lower()
        if self._question is None or self._question.done() or word not in ("y", "yes", "n", "no"):
            return False
        self._question.set_result(word.startswith("y"))
        return True

    async def _type(self) -> None:
        try:
            async for line in self._lines:
                if self._is_answer(line):
                    continue
                for piece in pieces(line, MAX_TEXT):
                    await self._call.send(piece)
            if self._hangs_up_at_end:
                if self._moving:
                    await asyncio.wait(self._moving)
                await self._call.hangup()
        except CallOverError:
            pass  # who waits for the end of the call knows

    async def _show_states(self) -> None:
        name = plain(self._call.peer.n)
        async for state in self._call.states():
            if state in _STATES:
                self._screen.note(state, _STATES[state].format(name=name), name=self._call.peer.n)

    async def _show_messages(self) -> None:
        async for message in self._call.messages:
            self._screen.say(self._call.peer.n, message.text, id=message.id, at=message.at_ms)

    async def _take_files(self) -> None:
        async for file in self._call.files:
            task = asyncio.create_task(self._take(file))
            self._moving.add(task)
            task.add_done_callback(self._moving.discard)

    async def _take(self, file: IncomingFile) -> None:
        screen, who, name = self._screen, self._call.peer.n, plain(file.name)
        screen.note("file", f"{plain(who)} sends {name}, {sized(file.size)}.", name=file.name, size=file.size)
        if self._folder is None and not await self._ask(f"Take {name}?", file):
            file.decline()
            screen.note("file-declined", f"{name} was not taken. (--accept-files DIR takes all.)", name=file.name)
            return
        try:
            place = await file.save(
                self._folder or Path.cwd(), lambda done, size: screen.progress(file.name, done, size)
            )
        except TransferError as error:
            screen.note("file-failed", f"{error.message} [{error.code}]", name=file.name, code=error.code)
        else:
            words = f"{plain(str(place))}: {sized(file.size)}, checksum verified."
            screen.note("file-saved", words, name=file.name, path=str(place), size=file.size)

    async def _ask(self, words: str, file: IncomingFile) -> bool:
        if not self._asks:
            return False
        while self._question is not None and not self._question.done():
            await asyncio.wait([self._question])  # one question at a time
        self._question = asyncio.get_running_loop().create_future()
        self._screen.ask(words)
        answer = self._question
        asking = asyncio.create_task(self._deny_when_over(answer))
        try:
            return await answer and not file.is_over
        finally:
            asking.cancel()

    async def _deny_when_over(self, answer: asyncio.Future[bool]) -> None:
        await self._call.ended()
        if not answer.done():
            answer.set_result(False)
