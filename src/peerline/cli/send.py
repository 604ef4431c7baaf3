"""`peerline send`: send a file to somebody on the page or at another terminal, peer to peer, checksum verified."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from peerline.cli.call_options import EXIT_CODES, add_options
from peerline.errors import ConfigError

if TYPE_CHECKING:
    from peerline.cli.call_screen import Screen
    from peerline.client import Call, Client


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb and its flags."""
    p = verbs.add_parser("send", help="send a file to somebody", description=__doc__, epilog=EXIT_CODES)
    p.add_argument("file", metavar="FILE", type=Path, help="the file")
    p.add_argument("name", metavar="NAME", help="who gets it; they are called first")
    add_options(p)
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send; returns the exit code."""
    from peerline.cli.call_exit import run_signed_in

    async def work(me: Client, screen: Screen) -> None:
        screen.note("calling", f"Calling {arguments.name}…", name=arguments.name)
        async with await me.call(arguments.name) as call:
            await _send(arguments.file, call, screen)

    return run_signed_in(arguments, lambda: _check(arguments.file), work)


async def _send(file: Path, call: Call, screen: Screen) -> None:
    from peerline.cli.call_screen import plain, sized

    name, who = file.name, plain(call.peer.n)
    screen.note("connected", f"Connected with {who}.", name=call.peer.n)
    size = await call.send_file(file, on_progress=lambda done, size: screen.progress(name, done, size))
    screen.note("sent", f"{plain(name)}: {who} has it, {sized(size)}, checksum verified.", name=name, size=size)


def _check(file: Path) -> None:
    """Before anybody is called. Raises ConfigError."""
    if file.exists() and not file.is_file():
        raise ConfigError(f"{file} is no plain file", hint="Pack what is more than that first: tar czf …")
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise ConfigError(f"{file}: {(error.strerror or str(error)).lower()}") from error
