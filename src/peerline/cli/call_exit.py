"""How `peerline call` and `peerline send` end: exit codes, and hanging up when they are told to go."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from peerline.cli.call_screen import Screen
from peerline.errors import ConfigError, PeerlineError

if TYPE_CHECKING:
    from peerline.client import Client

__all__ = ["DONE", "FAILED", "REFUSED", "UNREACHABLE", "exit_code", "run_signed_in", "run_until_done"]

DONE, FAILED, REFUSED, UNREACHABLE = 0, 1, 2, 3
_REFUSALS = ("busy", "declined", "dnd")
_OUT_OF_REACH = ("offline", "timeout", "ice_failed")


def exit_code(error: PeerlineError) -> int:
    """0 done, 2 busy or declined, 3 unreachable, 1 anything else."""
    from peerline.client import CallOverError, TransferError, UnreachableError

    match error:
        case UnreachableError():
            return UNREACHABLE
        case CallOverError() if error.code in _REFUSALS:
            return REFUSED
        case CallOverError() if error.code in _OUT_OF_REACH:
            return UNREACHABLE
        case TransferError(code="cancelled"):
            return REFUSED
    return FAILED


def run_signed_in(
    arguments: argparse.Namespace, check: Callable[[], None], work: Callable[[Client, Screen], Awaitable[None]]
) -> int:
    """Check (which raises ConfigError), sign in as the flags say, work; returns the exit code."""
    from peerline.cli.call_options import sign_in

    screen = Screen(as_json=arguments.json)
    try:
        check()
        signing_in = sign_in(arguments)
    except ConfigError as error:
        screen.fail(error)
        return FAILED

    async def signed_in(screen: Screen) -> None:
        async with signing_in as me:
            if arguments.insecure:
                screen.note("insecure", "The server's certificate is not checked: anybody may be in between.")
            await work(me, screen)

    return run_until_done(signed_in, screen)


def run_until_done(work: Callable[[Screen], Awaitable[None]], screen: Screen) -> int:
    """Run it, tell of its errors, and return the exit code. SIGTERM and a terminal that closes hang up first."""
    told: list[int] = []

    async def whole() -> None:
        task = asyncio.current_task()
        assert task is not None

        def leave(number: int) -> None:
            told.append(number)
            task.cancel()

        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, leave, number)
        await work(screen)

    try:
        asyncio.run(whole())
    except asyncio.CancelledError:
        if not told:
            raise
        return 128 + told[0]
    except BrokenPipeError:
        # Nobody reads what we write any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except PeerlineError as error:
        screen.fail(error)
        return exit_code(error)
    except OSError as error:
        screen.fail(ConfigError(f"{error.filename or ''}: {error.strerror}".removeprefix(": ")))
        return FAILED
    return DONE
