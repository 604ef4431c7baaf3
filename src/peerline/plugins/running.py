"""Tells the plugins of a server what happens, and asks them who may come in. None of them can break or delay a call."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from peerline.errors import RefusedError
from peerline.plugins.hooks import CallNews, Newcomer, Relayed
from peerline.plugins.require import require

log = logging.getLogger("peerline.plugins")

# What a plugin has not been told yet; past it, news are dropped and counted.
MAX_WAITING = 1000


class Plugins:
    """All plugins of one server, in the order in which they were named."""

    def __init__(self, modules: Iterable[tuple[str, ModuleType]] = (), *, timeout_s: float = 5.0) -> None:
        self._plugins = [_Plugin(name, module, timeout_s) for name, module in modules]
        self.hears_messages = any(plugin.hook("message") for plugin in self._plugins)

    @classmethod
    def load(cls, names: Iterable[str], *, base: Path, timeout_s: float) -> Plugins:
        """Require each; paths count from `base`. Raises PluginError."""
        return cls([(name, require(name, base=base)) for name in names], timeout_s=timeout_s)

    async def authorise(self, newcomer: Newcomer) -> None:
        """Ask all that have something to say. Raises RefusedError `forbidden` at the first no.

        None and True are a yes; a text is a no with its reason; anything else, an error and silence are a no.
        """
        for plugin in self._plugins:
            hook = plugin.hook("authorise")
            if hook is None:
                continue
            try:
                answer = await plugin.ask(hook, newcomer)
            except RefusedError:
                raise
            except Exception as error:
                plugin.complain("authorise", error)
                answer = False
            if answer is not None and answer is not True:
                reason = answer if isinstance(answer, str) and answer else "not allowed to sign in here"
                raise RefusedError(reason, code="forbidden")

    def call_started(self, call: CallNews) -> None:
        """Both sides are connected."""
        self._tell("call_started", call)

    def call_ended(self, call: CallNews) -> None:
        """It is over."""
        self._tell("call_ended", call)

    def message(self, message: Relayed) -> None:
        """Something was passed on."""
        self._tell("message", message)

    async def told(self) -> None:
        """Wait until all has been said that there is to say."""
        await asyncio.gather(*(plugin.told() for plugin in self._plugins))

    async def close(self) -> None:
        """Say nothing more."""
        for plugin in self._plugins:
            plugin.close()

    def _tell(self, what: str, news: Any) -> None:
        for plugin in self._plugins:
            hook = plugin.hook(what)
            if hook is not None:
                plugin.tell(what, hook, news)


class _Plugin:
    """One plugin: it hears of one thing after the other."""

    def __init__(self, name: str, module: ModuleType, timeout_s: float) -> None:
        self.name = name
        self._module = module
        self._timeout_s = timeout_s
        self._waiting: deque[tuple[str, Callable[..., Any], Any]] = deque()
        self._teller: asyncio.Task[None] | None = None
        self._dropped = 0

    def hook(self, name: str) -> Callable[..., Any] | None:
        """What the plugin calls by this name, if it can be called."""
        found = getattr(self._module, name, None)
        return found if callable(found) else None

    async def ask(self, hook: Callable[..., Any], about: Any) -> Any:
        """Call a hook, wherever it may wait. Raises what it raises, and TimeoutError."""
        async with asyncio.timeout(self._timeout_s):
            if inspect.iscoroutinefunction(hook):
                return await hook(about)
            answer = await _in_thread(hook, about)
            return await answer if inspect.isawaitable(answer) else answer

    def tell(self, what: str, hook: Callable[..., Any], news: Any) -> None:
        """Say it when the plugin has heard all before."""
        if len(self._waiting) >= MAX_WAITING:
            if not self._dropped:
                log.error("the plugin %s does not keep up: news for it are dropped", self.name)
            self._dropped += 1
            return
        self._waiting.append((what, hook, news))
        if self._teller is None or self._teller.done():
            self._teller = asyncio.get_running_loop().create_task(self._tell_all(), name=f"peerline plugin {self.name}")

    async def told(self) -> None:
        """Wait for the last word."""
        if self._teller is not None:
            await asyncio.wait([self._teller])

    def close(self) -> None:
        """No more words."""
        self._waiting.clear()
        if self._teller is not None:
            self._teller.cancel()

    def complain(self, what: str, error: Exception) -> None:
        """Say whose fault it is, with the traceback."""
        if isinstance(error, TimeoutError):
            log.error("the plugin %s took more than %g s for %s", self.name, self._timeout_s, what)
        else:
            log.error("the plugin %s failed in %s", self.name, what, exc_info=error)

    async def _tell_all(self) -> None:
        while self._waiting:
            what, hook, news = self._waiting.popleft()
            try:
                await self.ask(hook, news)
            except Exception as error:
                self.complain(what, error)
        if self._dropped:
            log.error("%d news were dropped for the plugin %s", self._dropped, self.name)
            self._dropped = 0


async def _in_thread(function: Callable[..., Any], argument: Any) -> Any:
    # A thread of its own: one that never returns must keep neither others waiting nor the server from ending.
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    def work() -> None:
        result, failure = None, None
        try:
            result = function(argument)
        except BaseException as error:
            failure = error if not isinstance(error, StopIteration) else RuntimeError("the hook raised StopIteration")
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:  # the loop has ended meanwhile
            pass

    threading.Thread(target=work, daemon=True, name="peerline plugin").start()
    return await answer
